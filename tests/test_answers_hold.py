"""Answers that hold whatever is asked: physics, order, and one answer from every command."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.answering.assess import LaneAssessor
from advisor.answering.complete import completed
from advisor.answering.estimates import compare, estimate
from advisor.answering.evidence import Evidence
from advisor.answering.explain import explain
from advisor.answering.recommend import assessor_on, recommend
from advisor.cli.main import run
from advisor.core.constraint import Constraint, Verdict
from advisor.core.document import Figure
from advisor.core.estimate import Origin
from advisor.core.lane import Lane
from advisor.core.quantity import Metric, human
from advisor.core.request import CompareRequest, EstimateRequest, ExplainRequest, Request
from advisor.core.workload_table import WorkloadTable
from advisor.estimators.latency import Timing
from advisor.hardware.lanes import lanes_for
from advisor.hardware.roofline import floor
from advisor.hardware.room import room

EVIDENCE = Evidence()
Capture = pytest.CaptureFixture[str]
DEVICES = (
    *("jetson-nano", "raspberry-pi-4", "coral-dev-board", "nvidia-t4", "geforce-rtx-4090"),
    *("galaxy-s24", "rk3588", "stm32h747i-disco", "hailo-8l", "jetson-agx-orin"),
)
NETWORKS = ("mobilenetv2_100", "resnet18", "resnet50", "efficientnet_b0", "vit_base_patch16_224")
WIDTHS = ("mobilenetv2_035", "mobilenetv2_050", "mobilenetv2_100", "mobilenetv2_140")
few = settings(
    max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
many = settings(few, max_examples=300)
devices = st.sampled_from(DEVICES)


def assessed(
    device: str, network: str, batch: int | None = None
) -> tuple[LaneAssessor, WorkloadTable]:
    """Predict one network at 224 pixels on a device's default lane."""
    request = Request(device=device, batch=batch, published=False)
    profile = EVIDENCE.profiles.load(device)
    lane = lanes_for(profile, request)[0]
    table = EVIDENCE.table.rows([EVIDENCE.table.index[network, 224]])
    assessor = assessor_on(lane, profile, request, EVIDENCE)
    return assessor, table


@cache
def seconds(device: str, network: str, batch: int) -> float:
    assessor, table = assessed(device, network, batch)
    return (
        float(assessor._predictions(table).value[0]) * assessor.images / max(assessor.lane.batch, 1)
    )


@few
@given(devices, st.sampled_from(NETWORKS), st.sampled_from((1, 2, 8, 32, 256)))
def test_no_prediction_beats_the_roofline(device: str, network: str, batch: int) -> None:
    _above_the_roofline(device, network, batch)


def _above_the_roofline(device: str, network: str, batch: int) -> None:
    assessor, table = assessed(device, network, batch)
    found = assessor._predictions(table)
    images = max(assessor.lane.batch, 1)
    least = floor(assessor.profile, assessor.lane, table, images=images).least
    assert (found.low >= least * (1 - 1e-9)).all()
    assert (found.low <= found.value).all()
    assert (found.value <= found.high).all()


@few
@given(
    devices,
    st.sampled_from(NETWORKS),
    st.integers(1, 15),
    st.integers(1, 15),
)
def test_more_images_never_take_less_time(device: str, network: str, batch: int, more: int) -> None:
    fewer, many = sorted((batch, more))
    assert seconds(device, network, fewer) <= seconds(device, network, many) * (1 + 1e-9)


SIZED = tuple(
    sorted(
        (network, side)
        for network, side in EVIDENCE.table.index
        if network.startswith(("mobilenetv1_100", "mobilenetv2_", "resnet50", "efficientnet_b"))
        and side <= 384
    )
)
"""Networks that the catalog has at several inputs or widths."""
every_device = st.sampled_from(EVIDENCE.profiles.names())
number = st.integers(0, 10**6)
batches = st.sampled_from((1, 1, 2, 8, 32, 256))


@settings(few, max_examples=10)
@given(every_device, number, batches)
def test_predictions_of_any_lane_keep_physics_and_order(
    device: str, place: int, batch: int
) -> None:
    _keeps_physics_and_order(device, place, batch, SIZED)


@pytest.mark.slow
@settings(few, max_examples=30)
@given(every_device, number, batches)
def test_predictions_of_every_network_keep_physics_and_order(
    device: str, place: int, batch: int
) -> None:
    _keeps_physics_and_order(device, place, batch, tuple(EVIDENCE.table.index))


def _keeps_physics_and_order(
    device: str, place: int, batch: int, networks: tuple[tuple[str, int], ...]
) -> None:
    """Check predictions of many networks in one of a device's lanes."""
    request = Request(device=device, batch=batch, published=False)
    profile = EVIDENCE.profiles.load(device)
    lanes = [*(one.lane for one in profile.lanes), lanes_for(profile, request)[0]]
    lane = lanes[place % len(lanes)]
    if not lane.is_bulk:
        lane = replace(lane, batch=batch)
    table = EVIDENCE.table.rows([EVIDENCE.table.index[one] for one in networks])
    found = assessor_on(lane, profile, request, EVIDENCE)._predictions(table)
    least = floor(profile, lane, table, images=max(lane.batch, 1)).least
    assert (found.low >= least * (1 - 1e-9)).all()
    assert (found.low <= found.value).all()
    assert (found.value <= found.high).all()
    place_of = {one: row for row, one in enumerate(networks)}
    for row, below in enumerate(EVIDENCE.sizes.below(table)):
        for smaller in below:
            if smaller in place_of:
                assert found.value[place_of[smaller]] <= found.value[row] * (1 + 1e-9)


SOME = ("mobilenetv2_*", "resnet18", "resnet50", "efficientnet_b0", "mobilenetv3_*")


def met(device: str, seconds_: float, confidence: float) -> set[str]:
    """Return what is recommended under a limit on the latency."""
    limits = (Constraint(metric=Metric.LATENCY, at_most=seconds_),)
    request = Request(device=device, limits=limits, confidence=confidence, models=SOME)
    return {entry.candidate for entry in recommend(request, EVIDENCE).ranked}


timed = st.sampled_from([one for one in DEVICES if one != "hailo-8l"])
limits_of = st.floats(0.001, 0.5)


@few
@given(timed, limits_of, limits_of, st.sampled_from((0.6, 0.9, 0.99)))
def test_a_tighter_limit_on_any_device_never_admits_more(
    device: str, one: float, other: float, confidence: float
) -> None:
    tight, wide = sorted((one, other))
    assert met(device, tight, confidence) <= met(device, wide, confidence)


@few
@given(timed, limits_of, st.floats(0.55, 0.999), st.floats(0.55, 0.999))
def test_more_confidence_never_turns_uncertain_into_met(
    device: str, limit: float, one: float, other: float
) -> None:
    less, more = sorted((one, other))
    assert met(device, limit, more) <= met(device, limit, less)


@few
@given(devices, st.sampled_from(NETWORKS), st.booleans())
def test_every_command_says_the_same_of_a_latency(
    device: str, network: str, published: bool
) -> None:
    name = f"{network}@224"
    alone = EstimateRequest(candidates=(name,), devices=(device,), published=published)
    beside = CompareRequest(candidates=(name,), devices=(device,), published=published)
    said = {
        "estimate": estimate(alone, EVIDENCE).estimates[0].metrics,
        "compare": compare(beside, EVIDENCE).estimates[0].metrics,
    }
    figures = {command: of.get(Metric.LATENCY) for command, of in said.items()}
    explained = explain(
        ExplainRequest(candidate=name, device=device, published=published), EVIDENCE
    ).figures
    figures["explain"] = explained[0] if explained else None
    request = Request(device=device, models=(name, "resnet*"), published=published)
    found = recommend(request, EVIDENCE)
    ranked = [e for e in (*found.ranked, *found.uncertain) if e.architecture == network]
    mine = [e.metrics.get(Metric.LATENCY) for e in ranked if e.resolution == 224]
    figures |= {"recommend": mine[0]} if mine and mine[0] else {}
    texts = {
        command: None if one is None else (human(one.value, one.unit), human(one.low, one.unit))
        for command, one in figures.items()
    }
    assert len(set(texts.values())) == 1, texts


@few
@given(devices, st.sampled_from(NETWORKS), st.sampled_from((1, 4, 16)))
def test_throughput_times_latency_is_the_batch(device: str, network: str, batch: int) -> None:
    asked = EstimateRequest(candidates=(f"{network}@224",), devices=(device,), batch=batch)
    (entry,) = estimate(asked, EVIDENCE).estimates
    latency, rate = (entry.metrics.get(m) for m in (Metric.LATENCY, Metric.THROUGHPUT))
    if latency is not None and rate is not None and latency.origin == rate.origin:
        assert latency.value * rate.value == pytest.approx(batch, rel=1e-2)


@pytest.mark.parametrize("device", ["jetson-nano", "raspberry-pi-4"])
def test_a_tighter_limit_never_admits_more(device: str) -> None:
    met = []
    for limit in (0.010, 0.030, 0.100):
        limits = (Constraint(metric=Metric.LATENCY, at_most=limit),)
        answer = recommend(Request(device=device, limits=limits), EVIDENCE)
        met.append({entry.candidate for entry in answer.ranked})
    assert met[0] <= met[1] <= met[2]


def test_recommend_and_estimate_say_the_same() -> None:
    limits = (Constraint(metric=Metric.LATENCY, at_most=0.05),)
    request = Request(device="jetson-nano", limits=limits, models=("mobilenetv*", "resnet*"))
    best = recommend(request, EVIDENCE).ranked[:5]
    asked = EstimateRequest(
        candidates=tuple(entry.candidate for entry in best), devices=("jetson-nano",)
    )
    for entry, alone in zip(best, estimate(asked, EVIDENCE).estimates, strict=True):
        for metric in (Metric.LATENCY, Metric.TOP1, Metric.PEAK_MEMORY):
            one, other = entry.metrics[metric], alone.metrics[metric]
            assert human(one.value, one.unit) == human(other.value, other.unit)


def test_inputs_of_one_network_are_one_network_of_own_timings() -> None:
    lane = Lane(device="jetson-nano", unit="cpu", runtime="ncnn", precision="fp16", threads=2)
    sides = [side for name, side in SIZED if name == "mobilenetv2_100"]
    timings = [
        Timing(lane=lane, network="mobilenetv2_100", resolution=side, seconds=0.1 * side / 224)
        for side in sides
    ]
    index = EVIDENCE.table.index
    table = EVIDENCE.table.rows([index["mobilenetv2_100", side] for side in sides])
    model = EVIDENCE.latency.with_measurements(timings, table)
    assert len(sides) >= 3
    assert {one.own for one in model.evidence(lane, table)} == {1}


def test_a_level_beyond_those_learned_has_a_wider_published_interval() -> None:
    widths = []
    for level in (0.3, 0.9, 0.99, 0.999):
        asked = EstimateRequest(
            candidates=("resnet18@224",), devices=("jetson-nano",), confidence=level
        )
        widths.append(estimate(asked, EVIDENCE).estimates[0].metrics[Metric.LATENCY].high)
    assert widths == sorted(set(widths))


def test_32_images_of_resnet50_need_half_a_second_on_a_jetson_nano() -> None:
    assert seconds("jetson-nano", "resnet50", 32) >= 0.55


def test_256_images_of_resnet50_need_five_milliseconds_on_an_rtx_5090() -> None:
    assert seconds("geforce-rtx-5090", "resnet50", 256) >= 0.0049


def figure(candidate: str, device: str, metric: Metric = Metric.LATENCY, **asked: object) -> Figure:
    """Return what ``estimate`` says of one candidate on one device."""
    request = EstimateRequest(candidates=(candidate,), devices=(device,), **asked)  # type: ignore[arg-type]
    return estimate(request, EVIDENCE).estimates[0].metrics[metric]


def test_256_images_on_an_rtx_5090_pass_at_the_rate_that_their_latency_says() -> None:
    latency = figure("resnet50@224", "geforce-rtx-5090", batch=256)
    rate = figure("resnet50@224", "geforce-rtx-5090", Metric.THROUGHPUT, batch=256)
    assert latency.value >= 0.0049
    assert rate.value == pytest.approx(256 / latency.value, rel=1e-3)


def test_latency_on_a_jetson_nano_grows_about_as_the_batch() -> None:
    eight, more, most = (figure("resnet50@224", "jetson-nano", batch=n).value for n in (8, 32, 128))
    assert 2 * eight < more < 8 * eight
    assert 2 * more < most < 8 * more


@pytest.mark.parametrize("network", ["resnet50", "resnet101", "efficientnet_b0"])
def test_32_images_on_a_t4_take_longer_than_the_8_that_were_published(network: str) -> None:
    few, many = (figure(f"{network}@224", "nvidia-t4", batch=n) for n in (8, 32))
    assert few.origin is Origin.PUBLISHED
    assert few.value < many.value


def test_a_published_throughput_of_32_images_on_a_t4_tells_their_latency() -> None:
    latency = figure("seresnext50_32x4d@224", "nvidia-t4", batch=32)
    rate = figure("seresnext50_32x4d@224", "nvidia-t4", Metric.THROUGHPUT, batch=32)
    assert latency.origin is rate.origin is Origin.PUBLISHED
    assert latency.value == pytest.approx(32 / rate.value)
    assert any("computed from the published images per second" in one for one in latency.caveats)


def test_a_pipelines_throughput_tells_no_latency() -> None:
    request = EstimateRequest(candidates=("resnet50@224",), devices=("hailo-8l",))
    (entry,) = estimate(request, EVIDENCE).estimates
    assert entry.metrics[Metric.THROUGHPUT].value > 50
    assert "pipeline" in entry.gaps[Metric.LATENCY]


PHONES = [
    name for name in EVIDENCE.profiles.names() if EVIDENCE.profiles.load(name).form == "phone"
]


@pytest.mark.parametrize("device", [*PHONES[::8], "nvidia-t4"])
def test_two_images_never_take_less_than_the_one_that_was_published(device: str) -> None:
    profile = EVIDENCE.profiles.load(device)
    lane = profile.default_lane
    known = {
        (network, side): cell.latency
        for (found, network, side), cell in EVIDENCE.published(profile).cells.items()
        if found == replace(lane, batch=1) and (network, side) in EVIDENCE.table.index
    }
    table = EVIDENCE.table.rows([EVIDENCE.table.index[one] for one in known])
    assessor = assessor_on(replace(lane, batch=2), profile, Request(device=device), EVIDENCE)
    for two, one in zip(assessor._predictions(table).value, known.values(), strict=True):
        assert one is None or two >= one * (1 - 1e-9)


def test_2000_images_a_second_are_not_promised_beyond_a_jetson_nanos_peak() -> None:
    limits = (Constraint(metric=Metric.THROUGHPUT, at_least=2000.0),)
    request = Request(device="jetson-nano", batch=256, limits=limits)
    for entry in recommend(request, EVIDENCE).ranked:
        work = 2 * entry.metrics[Metric.MACS].value * entry.metrics[Metric.THROUGHPUT].value
        assert work <= 0.48e12


def test_an_rtx_4090_answers_a_limit_of_two_milliseconds() -> None:
    limits = (Constraint(metric=Metric.LATENCY, at_most=0.002),)
    request = Request(device="geforce-rtx-4090", limits=limits, models=SOME)
    best = recommend(request, EVIDENCE).ranked[0].metrics[Metric.LATENCY]
    assert best.value <= 0.002
    assert best.high <= 4 * best.low * 4


def test_a_jetson_nano_keeps_no_network_that_its_memory_does_not_hold() -> None:
    request = Request(device="jetson-nano", batch=128, models=("resnet*", "vgg*", "mobilenetv3_*"))
    answer = recommend(request, EVIDENCE)
    most = room(EVIDENCE.profiles.load("jetson-nano")).memory
    assert most is not None
    assert most < 4e9
    assert answer.ranked
    assert all(entry.metrics[Metric.PEAK_MEMORY].value <= most for entry in answer.ranked)
    assert any("memory" in reason for reason in map(str, (*answer.rejected, *answer.uncertain)))


def test_what_is_best_without_limits_differs_by_device() -> None:
    devices = ("stm32h747i-disco", "galaxy-s24", "geforce-rtx-4090")
    firsts = [recommend(Request(device=one), EVIDENCE).ranked[0] for one in devices]
    assert len({first.candidate for first in firsts}) == len(devices)
    assert all(first.metrics[Metric.PARAMETERS].value < 50e6 for first in firsts)
    assert firsts[0].metrics[Metric.PEAK_MEMORY].value < 8e6


def test_the_deployed_mobileone_is_fast_on_a_raspberry_pi_4() -> None:
    assert 0.02 < figure("mobileone_s0@224", "raspberry-pi-4").value < 0.09


@pytest.mark.parametrize("device", ["geforce-rtx-2080", "raspberry-pi-4"])
def test_latency_rises_with_inputs_that_the_catalog_has_not_counted(device: str) -> None:
    values = [figure(f"efficientnet_b0@{side}", device).value for side in (96, 128, 160, 224)]
    assert values == sorted(values)


def test_latency_does_not_rise_with_threads() -> None:
    values = [
        figure("resnet18@224", "raspberry-pi-4", threads=n, published=False).value
        for n in (1, 2, 4)
    ]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("network", ["mobilenetv2_100", "resnet50", "efficientnet_b0"])
def test_parts_on_a_coral_add_up_to_what_is_predicted(network: str) -> None:
    asked = ExplainRequest(candidate=f"{network}@224", device="coral-dev-board", published=False)
    answer = explain(asked, EVIDENCE)
    whole = sum(part.seconds for part in answer.parts)
    assert whole == pytest.approx(answer.figures[0].value, rel=2e-3)


def test_inputs_name_estimator_measurements_and_profile() -> None:
    request = Request(device="jetson-nano", models=("resnet18",))
    names = {one.name for one in completed(recommend(request, EVIDENCE), EVIDENCE).inputs}
    wanted = ("estimator.json", "estimator.npz", "jetson-nano.csv", "jetson-nano.yaml")
    assert [one for one in wanted if not any(name.endswith(one) for name in names)] == []


def test_a_microcontroller_holds_activations_in_ram_and_weights_in_flash() -> None:
    asked = EstimateRequest(candidates=("mobilenetv2_035@128",), devices=("stm32h747i-disco",))
    (entry,) = estimate(asked, EVIDENCE).estimates
    assert 0.1e6 < entry.metrics[Metric.PEAK_MEMORY].value < 0.6e6
    assert entry.metrics[Metric.PEAK_MEMORY].high <= 512 * 1024
    assert 1.6e6 < entry.metrics[Metric.FLASH].value < 2.3e6


def test_a_chips_power_does_not_keep_a_limit_on_the_board() -> None:
    limits = (Constraint(metric=Metric.POWER, at_most=3.0),)
    request = Request(device="coral-dev-board", limits=limits, models=("mobilenetv2_100",))
    answer = recommend(request, EVIDENCE)
    assert not answer.ranked


@pytest.mark.parametrize("scope", ["board", "chip"])
def test_a_limit_on_the_power_names_its_scope(scope: str, capsys: Capture) -> None:
    asked = f"recommend --device coral-dev-board --models mobilenetv2_100 --max-power 3W:{scope}"
    assert run(asked.split()) == {"board": 3, "chip": 0}[scope]
    told = " ".join(capsys.readouterr().out.split())
    assert f"{scope} power" in told.lower()


def test_the_heading_shows_the_input_that_a_name_alone_means(capsys: Capture) -> None:
    assert run(["estimate", "resnet50", "--device", "jetson-nano"]) == 0
    assert "at 224 px" in capsys.readouterr().out


def test_the_deployed_form_is_what_is_counted() -> None:
    row = EVIDENCE.table.index["mobileone_s0", 224]
    assert EVIDENCE.table.parameters[row] == 2_078_504
    assert EVIDENCE.table.macs[row] == pytest.approx(275e6, rel=0.01)


def test_a_name_alone_means_the_input_that_was_measured_in_the_lane() -> None:
    asked = EstimateRequest(candidates=("resnet50",), devices=("jetson-nano",))
    (entry,) = estimate(asked, EVIDENCE).estimates
    assert entry.resolution == 224


def test_a_known_recipe_without_a_model_is_a_gap() -> None:
    asked = EstimateRequest(
        candidates=("regnety_160@224",), devices=("jetson-nano",), recipe="pycls-dds",
        published=False,
    )  # fmt: skip
    (entry,) = estimate(asked, EVIDENCE).estimates
    assert Metric.TOP1 not in entry.metrics
    assert "pycls-dds" in entry.gaps[Metric.TOP1]


@pytest.mark.parametrize("device", ["hailo-8l", "coral-dev-board", "stm32h747i-disco"])
def test_without_limits_the_first_is_known_to_run_and_fits(device: str) -> None:
    _first_place_holds(device, ())


@pytest.mark.long
@many
@given(
    st.sampled_from(EVIDENCE.profiles.names()),
    st.sampled_from(NETWORKS),
    st.sampled_from((1, 2, 8, 32, 256)),
)
def test_no_prediction_beats_the_roofline_on_any_device(
    device: str, network: str, batch: int
) -> None:
    _above_the_roofline(device, network, batch)


@pytest.mark.long
@pytest.mark.parametrize("device", EVIDENCE.profiles.names())
def test_every_devices_first_place_is_timed_fits_and_is_possible(device: str) -> None:
    _first_place_holds(device, ())
    _first_place_holds(device, (Constraint(metric=Metric.TOP1, at_least=0.75),))


def _first_place_holds(device: str, limits: tuple[Constraint, ...]) -> None:
    answer = recommend(Request(device=device, limits=limits), EVIDENCE)
    for first in answer.ranked[:1]:
        profile = EVIDENCE.profiles.load(device)
        speed = first.metrics.get(Metric.LATENCY) or first.metrics.get(Metric.THROUGHPUT)
        assert speed is not None
        most = room(profile).memory
        assert most is None or first.metrics[Metric.PEAK_MEMORY].value <= most
        lane: Lane = answer.lane.lane
        row = EVIDENCE.table.index.get((first.architecture, first.resolution))
        if row is not None and Metric.LATENCY in first.metrics:
            one = replace(lane, precision=first.precision)
            table = EVIDENCE.table.rows([row])
            least = floor(profile, one, table, images=max(lane.batch, 1)).least
            assert np.all(first.metrics[Metric.LATENCY].value >= least * (1 - 1e-9))
        assert first.verdict is Verdict.MET
