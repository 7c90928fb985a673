"""Names of devices as people write them."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.errors import UsageError
from advisor.hardware.library import ProfileLibrary, profile_library
from advisor.hardware.names import DeviceNames


@dataclass(frozen=True)
class Device:
    """A device of the tests."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    chip_aliases: tuple[str, ...] = ()


SHELF = (
    Device("raspberry-pi-3b-plus", "Raspberry Pi 3 Model B+", ("Pi 3B+", "Pi 3"), ("BCM2837",)),
    Device("raspberry-pi-3b", "Raspberry Pi 3 Model B", ("Pi 3",), ("BCM2837",)),
    Device("raspberry-pi-4", "Raspberry Pi 4 Model B", ("Pi 4", "CM4"), ("BCM2711",)),
    Device("raspberry-pi-5", "Raspberry Pi 5", ("Pi 5",), ("BCM2712",)),
    Device("orangepi5", "Orange Pi 5 (RK3588S)", ("OPi 5",), ("RK3588", "RK3588S")),
    Device("rk3588", "RK3588 board (generic)", ("RK3588", "ROCK 5B"), ("RK3588", "RK3588S")),
    Device("jetson-nano", "Jetson Nano 4GB", ("Jetson Nano", "Nano"), ("Tegra X1",)),
    Device("jetson-orin-nano", "Jetson Orin Nano 8GB", ("Orin Nano",), ("T234", "Orin")),
    Device("jetson-agx-orin", "Jetson AGX Orin 64GB", ("AGX Orin",), ("T234", "Orin")),
    Device("jetson-tx2", "Jetson TX2 8GB", ("TX2",)),
    Device("jetson-tx2-nx", "Jetson TX2 NX 4GB", ("TX2 NX",)),
    Device("geforce-rtx-3060-ti", "NVIDIA GeForce RTX 3060 Ti", ("RTX 3060 Ti",)),
    Device("geforce-rtx-4090", "GeForce RTX 4090", ("RTX 4090", "4090")),
    Device("nvidia-v100", "NVIDIA V100 SXM2", ("V100", "Tesla V100"), ("V100",)),
    Device("nvidia-v100-pcie", "Tesla V100 PCIe 32 GB", ("V100 PCIe",), ("V100",)),
    Device("nvidia-a100", "NVIDIA A100", ("A100",)),
    Device("coral-usb", "Coral USB Accelerator", ("Coral",), ("Edge TPU", "Coral")),
    Device("coral-dev-board", "Coral Dev Board", ("Google Coral",), ("Edge TPU", "Coral")),
    Device("sm8550", "Snapdragon 8 Gen 2 (SM8550)", ("Snapdragon 8 Gen 2",), ("SM8550",)),
    Device("qcs8550", "QCS8550 (proxy)", (), ("Snapdragon 8 Gen 2", "SM8550")),
    Device("atom", "Intel Atom x5-Z8350", ("Z8350",)),
)
NAMES = DeviceNames(SHELF)


def sold_with(device: Device, gigabytes: float) -> bool:
    return gigabytes in {"raspberry-pi-5": (4, 8, 16), "jetson-nano": (4,)}.get(device.id, ())


def meant(spelling: str) -> list[str]:
    return [device.id for device in NAMES.meaning(spelling, sold_with).devices]


def related(spelling: str) -> set[str]:
    return {device.id for device in NAMES.meaning(spelling, sold_with).related}


@pytest.mark.parametrize("device", SHELF, ids=lambda d: d.id)
def test_the_id_and_the_display_name_always_mean_their_device(device: Device) -> None:
    assert meant(device.id) == meant(device.name) == [device.id]


@pytest.mark.parametrize(
    ("spelling", "device"),
    [
        ("RASPBERRY PI 5", "raspberry-pi-5"),
        ("rpi4", "raspberry-pi-4"),
        ("raspi 4", "raspberry-pi-4"),
        ("Raspberry Pi 4B", "raspberry-pi-4"),
        ("Raspberry 5", "raspberry-pi-5"),
        ("Raspberry Pi 3 Modelo B +", "raspberry-pi-3b-plus"),
        ("nvidia jetson nano developer kit", "jetson-nano"),
        ("JETSON_ORIN_NANO", "jetson-orin-nano"),
        ("Tesla V100", "nvidia-v100"),
        ("orange pi 5", "orangepi5"),
        ("树莓派5", "raspberry-pi-5"),
        ("GeForce® RTX™ 4090", "geforce-rtx-4090"),
        ("Cherry Trail Z8350 processor", "atom"),
    ],
)
def test_case_punctuation_makers_and_tails_do_not_matter(spelling: str, device: str) -> None:
    assert meant(spelling) == [device]


@given(st.sampled_from(SHELF), st.data())
def test_writing_a_name_in_other_letters_means_the_same(
    device: Device, data: st.DataObject
) -> None:
    def odd(name: str) -> Iterator[str]:
        for letter in name:
            yield data.draw(st.sampled_from((letter.lower(), letter.upper())))

    name = data.draw(st.sampled_from((device.name, *device.aliases)))
    assert meant("".join(odd(name))) == meant(name)
    assert meant(f"  {name.replace(' ', '-')} ") == meant(name)


def test_a_name_of_several_devices_lists_them() -> None:
    assert meant("Pi 3") == ["raspberry-pi-3b-plus", "raspberry-pi-3b"]
    assert set(meant("Orin")) == {"jetson-orin-nano", "jetson-agx-orin"}
    assert set(meant("Coral")) == {"coral-usb", "coral-dev-board"}


def test_the_beginning_of_several_names_lists_them() -> None:
    assert "jetson-tx2" in meant("Jetson")
    assert len(meant("Raspberry Pi")) == 4


def test_an_exact_name_wins_and_the_longer_ones_are_told() -> None:
    assert meant("TX2") == ["jetson-tx2"]
    assert related("TX2") == {"jetson-tx2-nx"}
    assert related("V100") == {"nvidia-v100-pcie"}
    assert related("Snapdragon 8 Gen 2") == {"qcs8550"}
    assert related("RK3588") == {"orangepi5"}


@pytest.mark.parametrize(
    "spelling", ["Orange Pi 5 Max RK3588", "RTX 4090 laptop", "RTX 3060", "iPhone 15", "", "x"]
)
def test_another_model_is_never_taken_for_its_kin(spelling: str) -> None:
    assert meant(spelling) == []


def test_a_size_of_memory_is_a_detail_only_where_the_device_is_sold_with_it() -> None:
    assert meant("Raspberry Pi 5 8GB") == ["raspberry-pi-5"]
    assert meant("Jetson Nano 2GB") == []


@pytest.mark.parametrize(
    ("spelling", "first"),
    [
        ("Jetson Nano 2GB", "jetson-nano"),
        ("RTX 3060", "geforce-rtx-3060-ti"),
        ("RTX 4080", "geforce-rtx-4090"),
        ("jetson-nanoo", "jetson-nano"),
        ("rasberry pi 4", "raspberry-pi-4"),
        ("Orange Pi 5 Max", "orangepi5"),
    ],
)
def test_an_unknown_name_finds_its_nearest_relative(spelling: str, first: str) -> None:
    assert NAMES.nearest(spelling)[0].id == first


def test_nothing_is_near_a_word_without_meaning() -> None:
    assert NAMES.nearest("asdfgh") == []


def spelled() -> list[dict[str, str]]:
    path = Path(__file__).parent / "data" / "device_spellings.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def told(row: dict[str, str], library: ProfileLibrary) -> bool:
    """Whether a spelling resolves or lists what it should, or names a relative of what is absent.

    A device of the table that has no profile yet counts as absent.
    """
    expected = [name for name in row["expected"].split() if name in library.entries]
    meaning = library.meaning(row["typed"])
    found = [entry.id for entry in meaning.devices]
    if not expected:
        with pytest.raises(UsageError, match="unknown device") as refused:
            library.resolve(row["typed"])
        near = (*row["relatives"].split(), *row["expected"].split())
        return any(f"'{name}'" in str(refused.value) for name in near)
    if len(found) == 1:
        beside = {entry.id for entry in meaning.related}
        return found[0] == expected[0] and set(expected[1:]) <= beside
    return set(expected) <= set(found)


def test_a_hundred_spellings_of_public_threads_are_known() -> None:
    library = profile_library()
    assert not [row["typed"] for row in spelled() if not told(row, library)]


@pytest.mark.parametrize(
    ("spelling", "device", "beside"),
    [
        ("Raspberry Pi 5", "raspberry-pi-5", ""),
        ("rpi4", "raspberry-pi-4", ""),
        ("Jetson Nano", "jetson-nano", "jetson-nano-2gb"),
        ("Xavier NX", "jetson-xavier-nx", ""),
        ("AGX Orin", "jetson-agx-orin", ""),
        ("Orin NX", "jetson-orin-nx-16gb", "jetson-orin-nx-8gb"),
        ("T4", "nvidia-t4", ""),
        ("A100", "nvidia-a100", "nvidia-a100-sxm-80gb"),
        ("V100", "nvidia-v100", "nvidia-tesla-v100-pcie-32gb"),
        ("RK3566", "rk3566-rk3568", "rock3a"),
        ("i.MX 8M Plus", "i-mx-8m-plus-board", ""),
        ("Khadas VIM3", "khadas-vim3", ""),
        ("Apple M1", "macbook-pro-m1", ""),
        ("Raspberry Pi 3B+", "raspberry-pi-3b-plus", ""),
        ("Snapdragon 8 Gen 2", "qualcomm-sm8550-ab-snapdragon-8-gen-2", "qcs8550"),
        ("Galaxy S24", "galaxy-s24", ""),
        ("RTX 4090", "geforce-rtx-4090", ""),
        ("Orange Pi 5 Plus", "orangepi5-plus", ""),
    ],
)
def test_what_people_call_a_shipped_device_means_it(
    spelling: str, device: str, beside: str
) -> None:
    found = profile_library().meaning(spelling)
    assert [one.id for one in found.devices] == [device]
    assert {beside} - {""} <= {one.id for one in found.related}


def test_a_design_that_several_modules_share_lists_them() -> None:
    found = {one.id for one in profile_library().meaning("Orin").devices}
    assert {"jetson-agx-orin", "jetson-orin-nano", "jetson-orin-nx-16gb"} <= found


@pytest.mark.parametrize(
    ("spelling", "first"), [("GTX 1080 Ti", "geforce-gtx-1080"), ("Galaxy S10", "galaxy")]
)
def test_the_nearest_of_an_absent_device_is_of_its_brand(spelling: str, first: str) -> None:
    with pytest.raises(UsageError, match=rf"did you mean '(samsung-)?{first}"):
        profile_library().resolve(spelling)


def test_every_shipped_device_answers_to_its_names() -> None:
    library = profile_library()
    for entry in library.entries.values():
        assert library.resolve(entry.name).id == entry.id
        for alias in entry.aliases:
            meaning = library.meaning(alias)
            assert entry in (*meaning.devices, *meaning.related), alias


def test_an_unknown_device_is_told_how_to_add_it() -> None:
    with pytest.raises(UsageError, match="advisor devices new 'RTX 3075' --like geforce-rtx-30"):
        profile_library().resolve("RTX 3075")
