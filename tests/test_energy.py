"""Energy: learned from boards measured at the wall, validated on networks and boards left out."""

from pathlib import Path

import numpy as np
import pytest

from advisor.answering.estimates import estimate
from advisor.answering.evidence import Evidence
from advisor.core.document import EstimateEntry
from advisor.core.estimate import Origin
from advisor.core.quantity import Metric
from advisor.core.question import Stated
from advisor.core.request import EstimateRequest
from advisor.estimators.board_power import LanePower, PowerModel
from advisor.estimators.fit.energy_fitting import (
    UNSEEN_BOARD,
    UNSEEN_NETWORK,
    UNSEEN_PAIR,
    UNSEEN_POWER,
    LeftOutEnergies,
)
from advisor.hardware.library import catalog_directory, profile_library

EVIDENCE = Evidence()
NOTHING = dict.fromkeys(("kind", "device", "unit", "runtime", "lane"), 0.0) | {"network": 1e-6}
TFLITE = {"unit": "cpu", "runtime": "tflite"}


def lane(device: str, name: str = "one", watts: float = 0.0, kind: str = "wall") -> LanePower:
    """Return a lane whose profile says 1 W."""
    return LanePower(
        device=device, unit="cpu", runtime="r", lane=name, kind=kind, prior=0.0, log_watts=watts,
        networks=1,
    )  # fmt: skip


def asked(network: str, device: str, **options: object) -> EstimateEntry:
    stated = {"candidates": [network], "device": device, **options}
    return estimate(EstimateRequest.read(Stated(options=stated)), EVIDENCE).estimates[0]


def test_another_lane_of_a_measured_board_draws_what_the_board_does() -> None:
    model = PowerModel(lanes=(lane("board", watts=1.0),), spreads=NOTHING | {"device": 1.0})
    draw = model.draw(lane("board", name="other"))
    assert draw is not None
    assert draw.mean == pytest.approx(1.0, abs=1e-6)
    assert draw.measured
    assert not draw.seen


def test_another_board_takes_half_of_what_its_kind_is_off_by() -> None:
    spreads = NOTHING | {"kind": 1.0, "device": 1.0}  # the kind explains half of the shift
    model = PowerModel(lanes=(lane("board", watts=1.0),), spreads=spreads)
    draw = model.draw(lane("unseen"))
    assert draw is not None
    assert draw.mean == pytest.approx(0.5)
    assert draw.spread == pytest.approx(np.sqrt(1.5))  # 2 - 1 × 1 / 2
    assert not draw.measured


def test_a_board_of_an_unseen_kind_is_left_to_its_profile() -> None:
    model = PowerModel(lanes=(lane("board", watts=1.0),), spreads=NOTHING | {"device": 1.0})
    assert model.draw(lane("unseen", kind="tdp")) is None


def test_what_a_microcontroller_draws_says_nothing_of_another_one() -> None:
    known = (lane("mcu", watts=-3.0, kind="rail of the chip of mcu"),)
    model = PowerModel(lanes=known, spreads=NOTHING | {"device": 1.0})
    assert model.draw(lane("other", kind="rail of the chip of other")) is None
    draw = model.draw(lane("mcu", name="other", kind="rail of the chip of mcu"))
    assert draw is not None
    assert draw.mean == pytest.approx(-3.0, abs=1e-3)


def test_the_model_reads_back_as_it_was_written(tmp_path: Path) -> None:
    model = PowerModel(lanes=(lane("board", watts=1.25),), spreads=NOTHING | {"network": 0.5},
                       scales={"board measured": 1.5})  # fmt: skip
    model.write(tmp_path)
    assert PowerModel.load(tmp_path) == model
    assert PowerModel.load(tmp_path / "empty").lanes == ()


def left_out(errors: list[float], boards: list[str]) -> LeftOutEnergies:
    """Return cells with intervals of one log unit, each board with a network of its own."""
    names = np.array(boards, np.str_)
    return LeftOutEnergies(
        error=np.array(errors), reach=np.ones(len(errors)), group=names, board=names
    )


def test_an_interval_is_scaled_by_the_other_groups_alone() -> None:
    found = left_out([0.1, 0.2, 5.0], ["a", "b", "c"])
    assert found.inside().tolist() == [True, True, False]  # c's own error does not widen it


def test_published_energies_are_answered_as_they_were_measured() -> None:
    figure = asked("mobilenetv2_100@224", "raspberry-pi-4", precision="fp32", **TFLITE).metrics
    assert figure[Metric.ENERGY].origin is Origin.PUBLISHED
    assert 0.3 < figure[Metric.ENERGY].value < 0.5  # 6.2 W for 62 ms


def test_int8_on_an_agx_orin_costs_what_was_measured_there() -> None:
    options = {"precision": "int8", **TFLITE}
    measured = asked("mobilenetv2_100@224", "jetson-agx-orin", **options).metrics[Metric.ENERGY]
    guess = asked("mobilenetv2_100@224", "jetson-agx-orin", no_published=True, **options)
    energy = guess.metrics[Metric.ENERGY]
    assert energy.origin is Origin.PREDICTED
    assert energy.value == pytest.approx(measured.value, rel=0.4)


def test_a_board_that_was_never_measured_says_so() -> None:
    energy = asked("resnet18@224", "raspberry-pi-5").metrics[Metric.ENERGY]
    assert "this board's power was never measured" in energy.caveats


def test_a_microcontroller_has_the_energy_of_its_chip_and_no_power_of_the_board() -> None:
    found = asked("mobilenetv1_100@96:width=0.25", "nucleo-l4r5zi")
    assert Metric.POWER not in found.metrics
    assert "at its supply" in found.gaps[Metric.POWER]
    assert 0.01 < found.metrics[Metric.CHIP_POWER].value < 0.2


@pytest.mark.slow
def test_energies_of_what_was_left_out_reach_their_aims() -> None:
    from advisor.estimators.validation.energies import ALL_BOARDS, validate_energy

    rows = validate_energy(catalog_directory(), profile_library())
    found = {row.left_out: row for row in rows if row.board == ALL_BOARDS}
    for kind in (UNSEEN_PAIR, UNSEEN_NETWORK):
        assert found[kind].median_error <= 0.20
        assert 0.86 <= found[kind].coverage <= 0.94
    assert found[UNSEEN_POWER].median_error <= 0.40
    assert {row.board for row in rows if row.left_out == UNSEEN_BOARD} >= {
        "raspberry-pi-4", "odroid-n2-plus", "jetson-agx-orin", "amd-ryzen-9-7950x",
    }  # fmt: skip
