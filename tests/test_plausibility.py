"""Figures that are taken in: what the hardware forbids, what is expected, what is known already."""

from pathlib import Path

import pytest

from advisor.answering.evidence import Evidence
from advisor.cli.main import run
from advisor.core.lane import Lane
from advisor.measuring.own_figures import OwnFigures
from advisor.measuring.store import MeasurementStore

PI = ("--device", "raspberry-pi-4", "--runtime", "ncnn", "--precision", "fp32", "--threads", "4")
LANE = Lane(device="raspberry-pi-4", unit="cpu", runtime="ncnn", precision="fp32", threads=4)
NETWORKS = ("mobilenetv2_100", "resnet18", "shufflenet_v2_x1_0", "squeezenet1_1", "regnety_004")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def times() -> dict[str, float]:
    """What is expected of some networks on a Raspberry Pi 4, in milliseconds."""
    evidence = Evidence()
    table = evidence.table.rows([evidence.table.index[name, 224] for name in NETWORKS])
    found = evidence.latency.predict(LANE, table).value
    return dict(zip(NETWORKS, (1e3 * found).tolist(), strict=True))


def written(folder: Path, times: dict[str, float], **columns: str) -> Path:
    path = folder / "own.csv"
    head = ["timm_name", "latency_ms", *columns]
    rows = [",".join([name, f"{time:.4f}", *columns.values()]) for name, time in times.items()]
    path.write_text("\n".join([",".join(head), *rows, ""]))
    return path


def scaled(times: dict[str, float], factor: float) -> dict[str, float]:
    return {name: factor * time for name, time in times.items()}


def stored() -> int:
    return len(MeasurementStore().figures())


def test_what_is_expected_is_kept(tmp_path: Path, times: dict[str, float]) -> None:
    assert run(["import", str(written(tmp_path, scaled(times, 1.3))), *PI]) == 0
    assert stored() == len(NETWORKS)


def test_seconds_in_a_column_of_milliseconds_are_refused_with_the_cause(
    tmp_path: Path, times: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["import", str(written(tmp_path, scaled(times, 1e-3))), *PI]) == 1
    told = capsys.readouterr().err
    assert "faster than the peak rate of raspberry-pi-4 allows" in told
    assert "seconds in a column of milliseconds?" in told
    assert stored() == 0


@pytest.mark.parametrize(("factor", "much"), [(12.0, "slower"), (1 / 12, "faster")])
def test_a_slip_of_a_decimal_place_is_kept_by_force_only_and_marked(
    factor: float,
    much: str,
    tmp_path: Path,
    times: dict[str, float],
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = written(tmp_path, scaled(times, factor))
    assert run(["import", str(path), *PI]) == 1
    told = capsys.readouterr().err
    if "peak rate" not in told:
        assert f"12 times {much} than expected" in told
        assert stored() == 0
        assert run(["import", str(path), *PI, "--force"]) == 0
        assert "kept by force" in MeasurementStore().sessions()[0].origin


def test_no_large_network_runs_in_four_milliseconds_on_a_raspberry_pi(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, {"eva02_large_patch14_448": 3.7})
    assert run(["import", str(path), *PI]) == 1
    assert "peak rate" in capsys.readouterr().err
    assert stored() == 0


def test_a_size_that_nobody_counted_teaches_where_it_follows_by_arithmetic(
    tmp_path: Path, times: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, scaled({"mobilenetv2_100": times["mobilenetv2_100"]}, 0.4),
                   input_h="100")  # fmt: skip
    assert run(["import", str(path), *PI]) == 0
    assert "tell nothing" not in capsys.readouterr().err
    timings, table = Evidence().own_timings()
    assert [(one.network, one.resolution) for one in timings] == [("mobilenetv2_100", 100)]
    assert table.networks == ("mobilenetv2_100",)
    whole = Evidence().table
    smaller, larger = (whole.macs[whole.index["mobilenetv2_100", side]] for side in (96, 128))
    assert smaller < table.macs[0] < larger


def test_figures_that_teach_nothing_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, {"vit_tiny_patch16_224": 900.0}, input_h="96")
    assert run(["import", str(path), *PI]) == 0
    assert "vit_tiny_patch16_224@96: kept as they are, but they tell nothing of other" in (
        capsys.readouterr().err
    )
    assert stored() == 1


def test_the_second_import_of_a_file_changes_nothing(
    tmp_path: Path, times: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, times)
    run(["import", str(path), *PI])
    before = OwnFigures(device="raspberry-pi-4").figures
    assert run(["import", str(path), *PI]) == 0
    assert "5 were known already" in capsys.readouterr().err
    assert OwnFigures(device="raspberry-pi-4").figures == before


def test_figures_of_another_chip_are_refused(
    tmp_path: Path, times: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, times, device="Jetson Nano")
    assert run(["import", str(path), *PI]) == 1
    told = capsys.readouterr().err
    assert "device 'Jetson Nano' is jetson-nano, not raspberry-pi-4" in told
    assert "--device jetson-nano" in told
    assert stored() == 0


@pytest.mark.parametrize(
    ("chip", "code"),
    [
        ("Raspberry Pi 4 Model B Rev 1.4", 0),
        ("Cortex-A72 BCM2711", 0),
        ("aarch64", 0),
        ("x86_64", 1),
        ("Raspberry Pi 5 Model B Rev 1.0", 1),
        ("Intel(R) Xeon(R) Platinum 8488C", 1),
    ],
)
def test_the_chip_that_a_kit_ran_on_has_to_be_the_board(
    chip: str, code: int, tmp_path: Path, times: dict[str, float]
) -> None:
    path = written(tmp_path, times, device="raspberry-pi-4", chip=chip)
    assert run(["import", str(path), *PI]) == code
    assert bool(stored()) is (code == 0)


def test_an_instruction_set_is_no_chip_and_is_said_to_be_none(
    tmp_path: Path, times: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    run(["import", str(written(tmp_path, times, device="raspberry-pi-4", chip="aarch64")), *PI])
    assert "'aarch64', an instruction set of many chips" in capsys.readouterr().err
    run(["import", str(written(tmp_path, times, device="raspberry-pi-4", chip="AMD64")), *PI])
    assert "measured on 'AMD64', and the processor of raspberry-pi-4 is Arm" in (
        capsys.readouterr().err
    )


def test_of_a_table_of_two_devices_each_keeps_its_own_rows(
    tmp_path: Path, times: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, times, device="Raspberry Pi 4")
    path.write_text(path.read_text() + "resnet18,11.2,Jetson Nano\n")
    assert run(["import", str(path)]) == 1
    assert "several devices: Jetson Nano, Raspberry Pi 4; say which by --device" in (
        capsys.readouterr().err
    )
    run(["import", str(path), *PI])
    assert stored() == len(NETWORKS)
    run(["import", str(path), "--device", "jetson-nano"])
    assert [network for _, network, _ in OwnFigures(device="jetson-nano").figures] == ["resnet18"]


def test_a_nickname_is_taken_for_the_device_that_was_stated_and_said(
    tmp_path: Path, times: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["import", str(written(tmp_path, times, device="desk 7")), *PI]) == 0
    assert "device 'desk 7' is unknown and taken for raspberry-pi-4" in capsys.readouterr().err


def test_by_force_every_row_is_of_the_device_that_was_stated(
    tmp_path: Path, times: dict[str, float]
) -> None:
    assert run(["import", str(written(tmp_path, times, device="Jetson Nano")), *PI, "--force"]) == 0
    assert stored() == len(NETWORKS)
    assert "kept by force" in MeasurementStore().sessions()[0].origin


def test_a_store_that_cannot_be_read_is_no_measurements(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home.mkdir()
    (home / "measurements.sqlite").write_bytes(b"no database, but long enough to be read as one")
    assert OwnFigures(device="raspberry-pi-4").figures == {}
    assert "holds no measurements" in caplog.text


def test_an_empty_store_is_no_measurements(home: Path) -> None:
    home.mkdir()
    (home / "measurements.sqlite").touch()
    assert OwnFigures(device="raspberry-pi-4").figures == {}
