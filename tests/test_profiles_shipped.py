"""What holds for every profile in ``profiles/``."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from advisor.core.request import LaneRequest
from advisor.errors import ProfileError, UsageError
from advisor.hardware.cores import cpu_cores, peak
from advisor.hardware.library import (
    load_profile,
    profile_library,
    profiles_directory,
    read_profile,
)
from advisor.hardware.origin import Sourced
from advisor.hardware.profile import DeviceProfile, UnitKind, UnitProfile, resolve_lane
from advisor.hardware.profile_index import CHECKED, checksum, content_if_checked
from advisor.hardware.silicon import Silicon

NAMES = sorted(path.stem for path in profiles_directory().glob("*.yaml"))
MIXED = {"macbook-pro", "hyper-v-linux-guest-with-gpu-pv-enabled"}

PROGRAMMABLE = ("FPGA", "DPU (Vitis AI)")
"""Families of designs that programmable logic is loaded with."""


@cache
def shipped() -> tuple[DeviceProfile, ...]:
    return tuple(load_profile(name) for name in NAMES)


def units() -> Iterator[tuple[str, UnitProfile]]:
    return ((f"{p.id} {unit.kind}", unit) for p in shipped() for unit in p.units)


def silicons() -> Iterator[tuple[str, Silicon]]:
    return ((name, unit.silicon) for name, unit in units() if unit.silicon is not None)


def origins(profile: DeviceProfile) -> list[Sourced]:
    groups = (profile.memory, profile.power, profile.price, profile.lifecycle)
    units = [origin for unit in profile.units for origin in (unit.compute, unit.software)]
    units += [unit.silicon.origin for unit in profile.units if unit.silicon]
    return [*units, *(group.origin for group in groups if group is not None)]


def test_every_file_is_what_its_check_says() -> None:
    folder = profiles_directory()
    for name in NAMES:
        path = folder / f"{name}.yaml"
        assert read_profile(path) == read_profile(path, afresh=True)


def test_the_index_is_of_the_files_as_they_are() -> None:
    files = [profiles_directory() / f"{name}.yaml" for name in NAMES]
    stale = [path.stem for path in files if content_if_checked(path) is None]
    assert stale == [], "write it again: advisor devices index"


def test_a_file_that_was_edited_is_checked_again(tmp_path: Path) -> None:
    shipped_file = profiles_directory() / "jetson-nano.yaml"
    (tmp_path / CHECKED).write_bytes((profiles_directory() / CHECKED).read_bytes())
    edited = tmp_path / "jetson-nano.yaml"
    edited.write_text(shipped_file.read_text("utf-8").replace("cores: 128", "cores: -1"), "utf-8")
    with pytest.raises(ProfileError, match="cores: -1"):
        read_profile(edited)


def test_a_torn_line_of_what_was_checked_is_no_error(tmp_path: Path) -> None:
    shipped_file = profiles_directory() / "jetson-nano.yaml"
    copied = tmp_path / "jetson-nano.yaml"
    copied.write_bytes(shipped_file.read_bytes())
    for torn in ("jetson-nano", "jetson-nano 00000000 {", f"jetson-nano {checksum(copied)} {{\n"):
        held = tmp_path / str(len(torn))
        held.mkdir()
        (held / CHECKED).write_text(torn)
        (held / copied.name).write_bytes(shipped_file.read_bytes())
        assert read_profile(held / copied.name) == load_profile("jetson-nano")


def test_every_file_is_in_the_index() -> None:
    assert profile_library().names() == NAMES


def test_there_is_a_profile_for_each_known_device() -> None:
    assert len(NAMES) > 450


def test_every_group_of_figures_has_a_source() -> None:
    missing = [p.id for p in shipped() for origin in origins(p) if not origin.source.strip()]
    assert missing == []


def test_every_peak_rate_has_a_stated_source() -> None:
    units = [(p.id, unit) for p in shipped() for unit in p.units]
    assert [n for n, u in units if u.peak and u.compute.source == "not stated"] == []


def test_every_default_lane_is_accepted() -> None:
    for profile in shipped():
        assert resolve_lane(profile, LaneRequest()).lane == profile.default_lane


def test_every_default_lane_is_measured_where_anything_is() -> None:
    measured = [profile for profile in shipped() if profile.lanes]
    assert [p.id for p in measured if p.evidence(p.default_lane) is None] == []


def test_every_default_lane_can_be_computed() -> None:
    for profile in shipped():
        unit = profile.unit(profile.default_lane.unit)
        assert unit is not None
        assert unit.reason_against(profile.default_lane.precision) is None, profile.id


def test_every_lane_is_on_a_unit_of_the_device() -> None:
    assert [p.id for p in shipped() for lane in p.lanes if p.unit(lane.unit) is None] == []


def test_the_index_tells_the_default_lane() -> None:
    entries = profile_library().entries
    assert all(entries[p.id].default_lane == p.default_lane.name for p in shipped())


def test_the_index_tells_the_aliases() -> None:
    entries = profile_library().entries
    assert all(entries[p.id].aliases == p.aliases for p in shipped())


@pytest.mark.parametrize(
    ("alias", "device"),
    [
        ("iphone", "iphone-13"),
        ("rockchip-rk3588", "rk3588"),
        ("qcs6490", "dragonwing-rb3-gen-2-vision-kit"),
        ("coral-dev-board-cpu", "coral-dev-board"),
    ],
)
def test_an_alias_leads_to_its_device(alias: str, device: str) -> None:
    assert load_profile(alias).id == device


def test_an_alias_of_two_machines_names_both() -> None:
    with pytest.raises(
        UsageError, match=r"ambiguous; say which: macbook-pro-intel .*, macbook-pro-m1 "
    ):
        load_profile("macbook-pro")


def test_an_unknown_device_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(UsageError, match="did you mean 'jetson-nano'"):
        load_profile("jetson-nanoo")


def test_every_device_of_the_shipped_measurements_resolves() -> None:
    folder = profiles_directory().parent / "catalog" / "measurements"
    names = {path.stem for path in folder.glob("*.csv")}
    library = profile_library()
    assert [name for name in sorted(names - MIXED) if not library.resolve(name).id] == []


def test_every_row_of_the_index_has_a_file() -> None:
    index = profiles_directory() / "index.csv"
    with index.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert all(Path(index.with_name(f"{row['id']}.yaml")).is_file() for row in rows)


def test_every_unit_says_what_it_is_made_of() -> None:
    assert [name for name, unit in units() if unit.silicon is None] == []


def test_every_unit_names_its_family_or_says_why_not() -> None:
    unknown = [name for name, silicon in silicons() if silicon.ip_family is None]
    assert unknown == ["c308x-board cpu"]


def test_every_cluster_is_of_a_known_core() -> None:
    named = {cluster.core for _, silicon in silicons() for cluster in silicon.clusters}
    assert named - set(cpu_cores()) == set()


def test_the_clusters_of_a_cpu_have_its_cores() -> None:
    counted = [(name, unit) for name, unit in units() if unit.cores and unit.silicon]
    assert [
        name
        for name, unit in counted
        if unit.silicon
        and unit.silicon.clusters
        and sum(cluster.cores for cluster in unit.silicon.clusters) != unit.cores
    ] == []


def test_stated_clusters_give_a_peak() -> None:
    cpus = [(n, u) for n, u in units() if u.kind is UnitKind.CPU and u.silicon]
    with_cores = [(n, u) for n, u in cpus if u.silicon and u.silicon.clusters]
    assert len(with_cores) > 290
    scalar_integers = ["nucleo-g0b1re cpu"]
    assert [n for n, u in with_cores if peak(u, "fp32") is None] == scalar_integers


def test_one_die_has_one_family_for_each_unit() -> None:
    found: dict[tuple[str, str], set[str | None]] = defaultdict(set)
    for name, silicon in silicons():
        if silicon.chip_id and silicon.ip_family not in PROGRAMMABLE:
            found[silicon.chip_id, name.rpartition(" ")[2]].add(silicon.ip_family)
    assert {key: made for key, made in found.items() if len(made) > 1} == {}
