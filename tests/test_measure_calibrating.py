"""Own measurements teach the estimator, and the command says how well."""

import math
from pathlib import Path

import pytest

from advisor.answering.calibrate import calibration, once_measured, still_open, width
from advisor.answering.evidence import Evidence
from advisor.core.lane import Lane
from advisor.estimators.latency import Timing
from tests.terminal import ask

NETWORKS = ("resnet18", "resnet34", "resnet50", "mobilenetv2_100", "regnety_008", "vgg11")
LANE = Lane(device="new-board", unit="cpu", runtime="ncnn", precision="fp32", threads=4)
PROFILE = """\
id: new-board
name: New Board
units:
- kind: cpu
  name: Round CPU
  cores: 4
  clock_ghz: 1.0
  peak_gflops: {fp32: 32}
  runtimes: [ncnn]
  source: hand
  confidence: high
  runtimes_source: hand
default_lane: {unit: cpu, runtime: ncnn, precision: fp32, threads: 4}
"""
RATE = 4e9
"""MACs a second of the made-up board."""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))


def seconds(evidence: Evidence, network: str) -> float:
    return float(evidence.table.macs[evidence.table.index[network, 224]]) / RATE


def test_networks_left_out_are_predicted_better_from_the_others() -> None:
    evidence = Evidence()
    timings = [
        Timing(lane=LANE, network=n, resolution=224, seconds=3 * seconds(evidence, n))
        for n in NETWORKS
    ]
    table = evidence.table.rows([evidence.table.index[n, 224] for n in NETWORKS])
    (found,) = calibration(evidence.latency, timings, table)
    assert found.networks == len(NETWORKS)
    assert found.after < found.before
    assert math.isfinite(found.after)


def test_a_lane_with_two_networks_tells_nothing() -> None:
    evidence = Evidence()
    timings = [Timing(lane=LANE, network=n, resolution=224, seconds=0.1) for n in NETWORKS[:2]]
    table = evidence.table.rows([evidence.table.index[n, 224] for n in NETWORKS[:2]])
    assert calibration(evidence.latency, timings, table) == []


def test_what_is_expected_of_a_measurement_is_what_it_brings() -> None:
    evidence = Evidence()
    table, model = evidence.table, evidence.latency
    picks = [table.index[n, 224] for n in NETWORKS]
    others = table.rows([table.index[n, 224] for n in ("densenet121", "efficientnet_b0")])
    expected = width(once_measured(model, LANE, table, picks), LANE, others)
    timings = [
        Timing(lane=LANE, network=n, resolution=224, seconds=5 * seconds(evidence, n))
        for n in NETWORKS
    ]
    taught = model.with_measurements(timings, table.rows(picks))
    assert width(taught, LANE, others) == pytest.approx(expected, rel=0.05)
    assert expected < width(model, LANE, others)


def test_fewer_networks_stay_open_once_some_are_measured() -> None:
    evidence = Evidence()
    table, model = evidence.table, evidence.latency
    asked = table.rows([table.index[n, 224] for n in ("densenet121", "resnet26", "vgg13")])
    limit = float(model.predict(LANE, asked).value[0])
    taught = once_measured(model, LANE, table, [table.index[n, 224] for n in NETWORKS])
    same = still_open(model, model, LANE, asked, limit=limit, level=0.9)
    later = still_open(model, taught, LANE, asked, limit=limit, level=0.9)
    assert 0 < later < same <= 3


def written(folder: Path) -> tuple[Path, Path]:
    evidence = Evidence()
    profile, table = folder / "new-board.yaml", folder / "t.csv"
    profile.write_text(PROFILE)
    rows = [f"{n},{1e3 * seconds(evidence, n):.4f}\n" for n in NETWORKS]
    table.write_text("timm_name,latency_ms\n" + "".join(rows))
    return profile, table


def test_a_device_the_catalog_has_never_seen_is_fitted_from_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile, table = written(tmp_path)
    answer = ask(
        capsys, "calibrate", "new-board", "--profile", str(profile), "--measurements", str(table)
    )
    assert answer.code == 0, answer.err
    assert "cpu ncnn fp32 batch 1, 4 threads" in answer.out
    later = ask(capsys, "estimate", "resnet18", "--device", "new-board", "--format", "csv")
    assert "measured" in later.out


def test_a_profile_of_another_device_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile, _ = written(tmp_path)
    answer = ask(capsys, "calibrate", "other", "--profile", str(profile))
    assert answer.code == 1
    assert "is the profile of 'new-board'" in answer.err


def test_a_device_without_a_profile_is_fitted_from_what_the_options_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, table = written(tmp_path)
    stated = ("--unit", "npu", "--runtime", "qnn", "--precision", "int8", "--ip-family", "Hexagon")
    forced = (*stated, "--force")  # the times are those of a processor
    answer = ask(capsys, "calibrate", "somebodys-phone", "--measurements", str(table), *forced)
    assert answer.code == 0, answer.err
    assert "npu qnn int8" in answer.out
    later = ask(capsys, "estimate", "resnet50", "--device", "somebodys-phone")
    assert later.code == 0, later.err


def test_a_device_without_a_profile_says_which_options_would_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, table = written(tmp_path)
    answer = ask(capsys, "calibrate", "somebodys-phone", "--measurements", str(table))
    assert answer.code != 0
    assert "--ip-family" in answer.err


def test_a_family_that_nobody_makes_is_refused_with_the_nearest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, table = written(tmp_path)
    stated = ("--unit", "npu", "--runtime", "qnn", "--precision", "int8", "--ip-family", "Hexagn")
    answer = ask(capsys, "calibrate", "somebodys-phone", "--measurements", str(table), *stated)
    assert answer.code != 0
    assert "'Hexagon'" in answer.err


def test_a_timing_that_the_others_refute_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of them is five times too long."""
    profile, table = written(tmp_path)
    ask(capsys, "calibrate", "new-board", "--profile", str(profile))
    lines = table.read_text().splitlines()
    name, time = lines[1].split(",")
    lines[1] = f"{name},{5 * float(time)}"
    table.write_text("\n".join(lines) + "\n")
    answer = ask(capsys, "calibrate", "new-board", "--measurements", str(table))
    assert answer.code == 0, answer.err
    assert f"Not believed in cpu ncnn fp32 batch 1, 4 threads: {name}" in answer.out
