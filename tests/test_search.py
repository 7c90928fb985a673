"""The search finds fronts within limits, and says what comes nearest where there are none."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.storages.journal import JournalFileBackend

from advisor.core.candidate import Candidate
from advisor.core.constraint import Constraint
from advisor.core.estimate import Gap
from advisor.core.quantity import Metric
from advisor.core.ranking import dominates
from advisor.core.workload_table import WorkloadTable
from advisor.errors import AdvisorError, UsageError
from advisor.networks.blueprints.stock import blueprint
from advisor.studies.families import families, family
from advisor.studies.hypervolume import hypervolume
from advisor.studies.moves import gaps, neighbours
from advisor.studies.outcome import (
    SAMPLERS,
    Answers,
    Progress,
    SearchPlan,
    State,
    costs,
    front_of,
)
from advisor.studies.searching import search
from tests.search_stand_in import assess

FAST = SearchPlan(
    families=("mobilenetv2",),
    constraints=(Constraint(metric=Metric.LATENCY, at_most=0.005),),
    trials=120,
)
IMPOSSIBLE = Constraint(metric=Metric.LATENCY, at_most=1e-6)


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "gp"])
def test_every_front_member_keeps_the_limit_with_its_whole_interval(sampler: str) -> None:
    outcome = search(replace(FAST, sampler=sampler, trials=60), assess)
    ends = [trial.answers[Metric.LATENCY] for trial in outcome.front]
    assert ends
    assert all(not isinstance(e, Gap) and e.interval.high <= 0.005 for e in ends)


@pytest.mark.slow
def test_gaussian_process_sampler_finds_a_front() -> None:
    assert search(replace(FAST, sampler="gp", trials=30), assess).front


def test_no_member_of_the_front_dominates_another() -> None:
    outcome = search(FAST, assess)
    points = [costs(t.values, outcome.request.objectives) for t in outcome.front]
    assert not any(dominates(a, b) for a in points for b in points)


def test_same_request_gives_the_same_trials() -> None:
    names = [[t.candidate.name for t in search(FAST, assess).trials] for _ in range(2)]
    assert names[0] == names[1]


def test_other_seed_gives_other_trials() -> None:
    first, second = (search(replace(FAST, seed=seed), assess) for seed in (1, 2))
    assert [t.candidate for t in first.trials] != [t.candidate for t in second.trials]


def test_search_in_a_file_finds_what_a_search_in_memory_finds(tmp_path: Path) -> None:
    kept = search(replace(FAST, storage=str(tmp_path / "study.log")), assess)
    assert [t.values for t in kept.front] == [t.values for t in search(FAST, assess).front]


def test_start_and_stock_networks_come_first() -> None:
    start = (Candidate.parse("mobilenetv2_100@176:width=0.85"),)
    outcome = search(replace(FAST, start=start, trials=10), assess)
    names = [trial.candidate.name for trial in outcome.trials]
    assert names[:2] == ["mobilenetv2_100@176:width=0.85", "mobilenetv2_100@224"]


def test_nothing_feasible_gives_the_nearest_misses() -> None:
    outcome = search(replace(FAST, constraints=(IMPOSSIBLE,)), assess)
    misses = [trial.violation for trial in outcome.nearest]
    assert outcome.front == ()
    assert misses == sorted(misses)
    assert misses[0] > 0


def test_limit_on_parameters_prunes_before_anything_is_estimated() -> None:
    asked: list[float] = []

    def counting(candidates: Sequence[Candidate], table: WorkloadTable) -> Sequence[Answers]:
        asked.extend(table.parameters.tolist())
        return assess(candidates, table)

    limit = Constraint(metric=Metric.PARAMETERS, at_most=3e6)
    outcome = search(replace(FAST, constraints=(limit,)), counting)
    assert max(asked) <= 3e6
    assert any(trial.state is State.PRUNED for trial in outcome.trials)


def test_all_pruned_still_gives_nearest_misses_with_figures() -> None:
    limit = Constraint(metric=Metric.PARAMETERS, at_most=10)
    outcome = search(replace(FAST, constraints=(limit,), trials=20), assess)
    assert Metric.LATENCY in outcome.nearest[0].answers


def test_missing_figure_fails_the_trial_with_its_reason() -> None:
    def without_energy(candidates: Sequence[Candidate], table: WorkloadTable) -> list[Answers]:
        gap = Gap(metric=Metric.ENERGY, reason="no power figure")
        return [{**own, Metric.ENERGY: gap} for own in assess(candidates, table)]

    request = replace(FAST, objectives=(Metric.TOP1, Metric.ENERGY), trials=10)
    outcome = search(request, without_energy)
    assert {trial.reason for trial in outcome.trials} == {"no power figure"}


def test_space_smaller_than_the_budget_is_searched_whole() -> None:
    outcome = search(replace(FAST, families=("efficientnet-compound",), trials=2000), assess)
    compound = family("efficientnet-compound")
    space = [compound.candidate(p) for p in compound.points()]
    networks = {(blueprint(c), c.resolution) for c in space}
    tried = {(blueprint(t.candidate), t.candidate.resolution) for t in outcome.trials}
    assert tried == networks
    assert outcome.stopped == "exhausted"


def test_stagnation_ends_the_search() -> None:
    outcome = search(replace(FAST, constraints=(IMPOSSIBLE,), stagnation=50), assess)
    assert outcome.stopped == "stagnation"
    assert len(outcome.trials) == 50


def test_time_ends_the_search() -> None:
    assert search(replace(FAST, seconds=0.0), assess).stopped == "time"


def test_interrupt_keeps_what_was_found() -> None:
    def impatient(progress: Progress) -> None:
        if progress.done >= 100:
            raise KeyboardInterrupt

    outcome = search(replace(FAST, trials=1000), assess, progress=impatient)
    assert outcome.stopped == "interrupted"
    assert len(outcome.trials) == 100
    assert outcome.front


def test_resumed_search_goes_on_where_it_stopped(tmp_path: Path) -> None:
    request = replace(FAST, storage=str(tmp_path / "study.log"), trials=50)
    first = search(request, assess)
    second = search(replace(request, trials=80, resume=True), assess)
    assert [t.candidate for t in second.trials[:50]] == [t.candidate for t in first.trials]
    assert len(second.trials) == 80


def test_study_file_is_one_that_optuna_itself_reads(tmp_path: Path) -> None:
    path = tmp_path / "study.log"
    outcome = search(replace(FAST, storage=str(path), trials=20), assess)
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(path)))
    study = optuna.load_study(study_name="search/mobilenetv2", storage=storage)
    assert [trial.values for trial in study.trials] == [list(t.values) for t in outcome.trials]


def test_existing_study_is_not_overwritten(tmp_path: Path) -> None:
    request = replace(FAST, storage=str(tmp_path / "study.log"), trials=5)
    search(request, assess)
    with pytest.raises(UsageError, match="--resume"):
        search(request, assess)


def test_study_of_other_objectives_is_not_resumed(tmp_path: Path) -> None:
    request = replace(FAST, storage=str(tmp_path / "study.log"), trials=5)
    search(request, assess)
    other = replace(request, objectives=(Metric.TOP1, Metric.MACS), resume=True)
    with pytest.raises(UsageError, match="has objectives"):
        search(other, assess)


def test_unreachable_storage_is_one_error() -> None:
    with pytest.raises(AdvisorError, match="cannot open storage"):
        search(replace(FAST, storage="sqlite:////nowhere/at/all.db"), assess)


def test_several_families_share_the_trials() -> None:
    outcome = search(replace(FAST, families=("mobilenetv2", "ghostnet", "resnet")), assess)
    assert len(outcome.trials) == 120
    assert {trial.family for trial in outcome.trials} == {"mobilenetv2", "ghostnet", "resnet"}


def test_every_family_has_its_turn_where_all_share_few_trials() -> None:
    outcome = search(replace(FAST, families=tuple(families()), trials=150), assess)
    assert {trial.family for trial in outcome.trials} == set(families())


def test_family_without_figures_gives_its_trials_to_the_others() -> None:
    def only_mobilenet(candidates: Sequence[Candidate], table: WorkloadTable) -> list[Answers]:
        found = assess(candidates, table)
        gap = Gap(metric=Metric.TOP1, reason="no series is published")
        known = [c.architecture.startswith("mobilenet") for c in candidates]
        return [
            own if k else {**own, Metric.TOP1: gap} for own, k in zip(found, known, strict=True)
        ]

    outcome = search(replace(FAST, families=("mobilenetv2", "ghostnet")), only_mobilenet)
    turns = [trial.family for trial in outcome.trials]
    assert turns.count("ghostnet") == 15  # one turn: 120 trials in four rounds of two families
    assert len(turns) == 120


def test_numbers_of_trials_follow_their_order() -> None:
    outcome = search(replace(FAST, families=("mobilenetv2", "ghostnet")), assess)
    assert [trial.number for trial in outcome.trials] == list(range(120))


def test_progress_reports_the_front() -> None:
    seen: list[Progress] = []
    outcome = search(FAST, assess, progress=seen.append)
    assert [p.done for p in seen] == [50, 100, 120]
    assert seen[-1].front == outcome.front


def test_convergence_never_falls() -> None:
    curve = [point.hypervolume for point in search(FAST, assess).convergence]
    assert curve == sorted(curve)
    assert 0 < curve[-1] <= 1


def test_importances_add_up_to_one() -> None:
    shares = search(FAST, assess).importances[Metric.LATENCY]
    assert sum(shares.values()) == pytest.approx(1)


def test_unknown_sampler_is_refused() -> None:
    with pytest.raises(UsageError, match="nsga2"):
        replace(FAST, sampler="annealing")


def test_unknown_family_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'mobilenetv2'"):
        search(replace(FAST, families=("mobilnetv2",)), assess)


def test_front_keeps_the_earliest_of_equal_trials() -> None:
    outcome = search(FAST, assess)
    twice = [*outcome.front, *(replace(t, number=t.number + 1000) for t in outcome.front)]
    assert front_of(twice, FAST.objectives) == outcome.front


@pytest.mark.parametrize("name", families())
def test_point_of_a_candidate_gives_the_candidate_back(name: str) -> None:
    for candidate in family(name).sample(random.Random(3), 20):
        point = family(name).point(candidate)
        assert point is not None
        assert family(name).candidate(point) == candidate


def test_neighbours_differ_in_one_axis_by_one_step() -> None:
    space = family("mobilenetv2")
    near = [space.candidate(p) for p in neighbours(space, Candidate.parse("mobilenetv2_100@224"))]
    assert [candidate.name for candidate in near] == [
        "mobilenetv2_100@224:width=0.95",
        "mobilenetv2_100@224:width=1.05",
        "mobilenetv2_100@224:depth=0.9",
        "mobilenetv2_100@224:depth=1.1",
        "mobilenetv2_100@208",
        "mobilenetv2_100@240",
    ]


def test_trial_beside_a_wide_gap_of_the_front_weighs_more() -> None:
    outcome = search(replace(FAST, trials=10), assess)
    first = outcome.trials[0]
    values = [(0.60, 0.001), (0.61, 0.0011), (0.62, 0.004), (0.80, 0.009)]
    front = [replace(first, number=n, values=pair) for n, pair in enumerate(values)]
    inner = gaps(front, FAST.objectives)[1:3]
    assert inner[1] > inner[0]


def test_hypervolume_of_two_steps_is_their_area() -> None:
    assert hypervolume([(1.0, 2.0), (2.0, 1.0)], (3.0, 3.0)) == 3.0  # 2 × 1 + 1 × 1


def test_hypervolume_of_two_boxes_is_their_union() -> None:
    # 2·2·1 + 1·1·2 less the shared 1·1·1
    assert hypervolume([(1.0, 1.0, 2.0), (2.0, 2.0, 1.0)], (3.0, 3.0, 3.0)) == 5.0


def test_points_beyond_the_reference_count_nothing() -> None:
    assert hypervolume([(4.0, 0.0)], (3.0, 3.0)) == 0.0
