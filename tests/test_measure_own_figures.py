"""Own measurements as estimates, and their rank over what others published."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from advisor.core.estimate import Origin
from advisor.core.lane import Lane
from advisor.core.quantity import Metric
from advisor.core.spread import between_sessions
from advisor.measuring.own_figures import OwnFigures, own_times
from advisor.measuring.store import MeasurementStore
from tests.terminal import ask
from tests.test_store import figure, keep, session

LANE = Lane(device="host", unit="cpu", runtime="onnxruntime", precision="fp32", threads=1)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MeasurementStore:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path))
    return MeasurementStore()


def measured(store: MeasurementStore, *latencies: float, **values: object) -> OwnFigures:
    for number, latency in enumerate(latencies, start=1):
        owner = session(number=number, started=f"2026-11-21T12:0{number}:00+00:00", **values)
        keep(store, owner, figure(owner, latency))
    return OwnFigures(device="host")


def test_the_value_is_the_median_of_the_sessions(store: MeasurementStore) -> None:
    own = measured(store, 0.010, 0.012, 0.011)
    found = own.estimate(Metric.LATENCY, LANE, "resnet18", 224, level=0.9)
    assert found is not None
    assert found.value == pytest.approx(0.011)
    assert found.interval.low < 0.010
    assert found.interval.high > 0.012
    assert found.provenance.origin is Origin.MEASURED
    assert found.provenance.date == "2026-11-21"
    assert found.provenance.source == ("measured here: 3 sessions, onnxruntime 1.31.1, Round CPU")


def test_repetitions_in_one_session_are_told_as_if_each_were_a_session(
    store: MeasurementStore,
) -> None:
    owner = session()
    latencies = (0.010, 0.030, 0.011, 0.012, 0.013)
    rows = [
        figure(owner, one, position=i, added_memory=None if i else 4e6)
        for i, one in enumerate(latencies)
    ]
    keep(store, owner, *rows)
    own = OwnFigures(device="host")
    found = own.estimate(Metric.LATENCY, LANE, "resnet18", 224, level=0.9)
    memory = own.estimate(Metric.PEAK_MEMORY, LANE, "resnet18", 224, level=0.9)
    expected = between_sessions(latencies, 0.9)
    assert found is not None
    assert memory is not None
    assert (found.value, found.interval.low, found.interval.high) == pytest.approx(expected)
    assert "5 sessions" in found.provenance.source
    assert memory.value == pytest.approx(4e6)
    assert "1 session," in memory.provenance.source
    assert own.estimate(Metric.ENERGY, LANE, "resnet18", 224, level=0.9) is None
    assert [one.seconds for one in own_times()] == [0.012]


def test_of_a_session_only_the_interrupted_repetitions_are_set_aside(
    store: MeasurementStore,
) -> None:
    owner = session(precision="fp16")
    busy = figure(owner, 0.03, disturbed=0.9, output_error=0.5)
    keep(store, owner, busy, figure(owner, 0.01, position=1, output_error=0.002))
    lane = replace(LANE, precision="fp16")
    found = OwnFigures(device="host").estimate(Metric.LATENCY, lane, "resnet18", 224, level=0.9)
    assert found is not None
    assert found.value == pytest.approx(0.01)
    assert [text for text in found.provenance.caveats if "fp32" in text] == [
        "its outputs differ from fp32 by 0.2 % of their spread"
    ]


@pytest.mark.parametrize("name", ["a#b", "what?", "100%41", "two words", "größe", "a?mode=rw#b%"])
def test_the_home_may_have_any_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Addresses of files give such characters a meaning of their own."""
    home = tmp_path / name
    monkeypatch.setenv("ADVISOR_HOME", str(home))
    own = measured(MeasurementStore(), 0.010)
    assert own.estimate(Metric.LATENCY, LANE, "resnet18", 224, level=0.9) is not None
    assert [one.seconds for one in own_times()] == [0.010]
    assert {path.name for path in tmp_path.iterdir()} == {name}


def test_a_home_may_be_stated_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADVISOR_HOME", "my home")
    measured(MeasurementStore(), 0.010)
    assert [one.seconds for one in own_times()] == [0.010]


def test_throughput_follows_from_latency_and_batch(store: MeasurementStore) -> None:
    own = measured(store, 0.02, batch=4)
    lane = replace(LANE, batch=4)
    found = own.estimate(Metric.THROUGHPUT, lane, "resnet18", 224, level=0.9)
    assert found is not None
    assert found.value == pytest.approx(200)


def test_a_single_session_says_that_its_interval_is_assumed(store: MeasurementStore) -> None:
    found = measured(store, 0.01).estimate(Metric.LATENCY, LANE, "resnet18", 224, level=0.9)
    assert found is not None
    assert "a single session" in found.provenance.caveats[0]


def test_sessions_that_differ_say_so(store: MeasurementStore) -> None:
    own = measured(store, 0.010, 0.014)
    found = own.estimate(Metric.LATENCY, LANE, "resnet18", 224, level=0.9)
    assert found is not None
    assert found.provenance.caveats == ("sessions differ by a factor of 1.40; measure again",)


def test_figures_of_another_version_or_machine_are_not_mixed_in(store: MeasurementStore) -> None:
    measured(store, 0.010, packages="onnxruntime 1.20.0")
    measured(store, 0.010, machine="another")
    own = measured(store, 0.020)
    found = own.estimate(Metric.LATENCY, LANE, "resnet18", 224, level=0.9)
    assert found is not None
    assert found.value == pytest.approx(0.020)


def test_a_session_that_was_mostly_interrupted_is_set_aside_for_a_quiet_one(
    store: MeasurementStore,
) -> None:
    busy, quiet = session(), session()
    keep(store, busy, figure(busy, 0.03, disturbed=0.9))
    keep(store, quiet, figure(quiet, 0.01, disturbed=0.0))
    found = OwnFigures(device="host").estimate(Metric.LATENCY, LANE, "resnet18", 224, level=0.9)
    assert found is not None
    assert found.value == pytest.approx(0.01)


def test_another_lane_has_no_figure(store: MeasurementStore) -> None:
    own = measured(store, 0.01)
    lane = replace(LANE, threads=2)
    assert own.estimate(Metric.LATENCY, lane, "resnet18", 224, level=0.9) is None


def test_superseded_and_running_sessions_do_not_count(store: MeasurementStore) -> None:
    owner = session()
    keep(store, owner, figure(owner, 0.05))
    store.supersede(owner.id)
    assert OwnFigures(device="host").figures == {}


def test_without_a_file_there_is_nothing_and_no_database_layer_is_loaded(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path;"
        "from advisor.measuring.own_figures import OwnFigures;"
        f"assert OwnFigures(device='host', path=Path({str(tmp_path / 'none')!r})).figures == {{}};"
        "print('sqlalchemy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_an_unreadable_file_holds_no_measurements_and_a_warning_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "store.sqlite"
    path.write_text("hello " * 1000)
    assert OwnFigures(device="host", path=path).figures == {}
    assert "not a database" in caplog.text


def test_the_estimator_learns_one_time_per_network_and_lane(store: MeasurementStore) -> None:
    measured(store, 0.010, 0.012, 0.011)
    (one,) = own_times()
    assert (one.lane, one.network, one.resolution) == (LANE, "resnet18", 224)
    assert one.seconds == pytest.approx(0.011)


def test_an_own_measurement_outranks_a_published_one(
    store: MeasurementStore, capsys: pytest.CaptureFixture[str]
) -> None:
    lane = {"device": "raspberry-pi-4", "runtime": "ncnn", "threads": 4}
    owner = session(**lane)
    keep(store, owner, figure(owner, 0.5))
    answer = ask(
        capsys, "estimate", "resnet18", "--device", "raspberry-pi-4", "--runtime", "ncnn",
        "--threads", "4", "--precision", "fp32", "--format", "json",
    )  # fmt: skip
    (entry,) = json.loads(answer.out)["estimates"]
    assert entry["metrics"]["latency"]["origin"] == "measured"
    assert entry["metrics"]["latency"]["value"] == pytest.approx(0.5)
    assert entry["alternatives"]["latency"][0]["origin"] == "published"
