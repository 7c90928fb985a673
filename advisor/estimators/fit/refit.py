"""Fit the estimators to the catalog and write their parameters beside it.

The steps are kept in a folder of their own until all are done, so that a refit that was stopped
goes on where it was.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from advisor.estimators.arena import fit_arena, read_arenas
from advisor.estimators.calibration import Calibration, Scores
from advisor.estimators.covariance import Variances
from advisor.estimators.fit.energy_fitting import fit_energy
from advisor.estimators.fit.fitting import (
    Data,
    Means,
    means_of,
    means_of_long,
    read_data,
    read_peaks,
)
from advisor.estimators.fit.leave_out import Split
from advisor.estimators.fit.publications import write_publications
from advisor.estimators.fit.runs import (
    CELLS,
    FILE,
    RUNS,
    FitPart,
    Run,
    RunResult,
    execute,
    group_of_class,
    is_crossed,
    is_of_long,
    read_left_out,
    write_left_out,
)
from advisor.estimators.fit.solving import solve
from advisor.estimators.fit.tuning import oddness
from advisor.estimators.fitted import (
    ALL,
    LONG,
    Fitted,
    variances_document,
    variances_from,
    write_fitted,
)
from advisor.estimators.memory import fit_memory
from advisor.hardware.library import ProfileLibrary

STEPS_FOLDER = "estimator.steps"
Progress = Callable[[str], None]
"""Is told each step that is done."""


def _silent(step: str) -> None:
    """Tell nobody."""


def calibration_of(data: Data, found: Mapping[str, RunResult], *, long: bool) -> Calibration:
    """Calibrate the intervals of one of the two fits on what was left out of it."""
    scores: list[Scores] = []
    for name, judged in found.items():
        if is_of_long(name) == long and not is_crossed(name) and ", one x" not in name:
            left = judged.left
            error = np.abs(data.log_seconds[left.cell] - left.mean) / left.spread
            scores += Scores.by_class(left.classes(data), error, group_of_class(data, left))
    return Calibration.of(scores)


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Results of the steps of one refit, by name, as far as they are done."""

    folder: Path | None
    """Where they are kept; None keeps nothing."""
    data: Data
    progress: Progress = _silent
    jobs: int = 1
    """Leave-outs that run at once."""

    @staticmethod
    def of(root: Path, data: Data, progress: Progress, jobs: int = 1) -> "Steps":
        """Return the steps of a refit to these data; those of other data are removed."""
        folder = root / STEPS_FOLDER
        mark = folder / "inputs"
        if not mark.exists() or mark.read_text(encoding="utf-8") != data.inputs:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            mark.write_text(data.inputs, encoding="utf-8")
        return Steps(folder=folder, data=data, progress=progress, jobs=jobs)

    def variances(self, name: str, make: Callable[[], Variances]) -> Variances:
        """Return variances that were tuned before, else tune them."""
        if self.folder is None:
            return make()
        path = self.folder / f"{name}.json"
        if not path.exists():
            path.write_text(json.dumps(variances_document(make())), encoding="utf-8")
        return variances_from(json.loads(path.read_text(encoding="utf-8")))

    def tuned(self, part: FitPart, others: Split | None = None) -> Variances:
        """Return the variances that ship, or those at which crossed runs are judged."""
        name = f"variances {part.means.is_of_long:d} {others.value if others else 'shipped'}"
        make = partial(part.tuned_on_others, others) if others else part.tuned
        return self.variances(name, make)

    def left_out(
        self, name: str, make: Callable[[], Iterator[tuple[str, RunResult]]]
    ) -> dict[str, RunResult]:
        """Return what was left out before, else leave it out."""
        if self.folder is None:
            return dict(make())
        path = self.folder / f"{name}.npz"
        if not path.exists():
            found = dict(make())
            write_left_out(found, self.data, path)
            return found
        return read_left_out(path, self.data)


def refit(
    root: Path,
    profiles: ProfileLibrary,
    *,
    runs: tuple[Run, ...] = RUNS,
    keep_left_out: bool = False,
    jobs: int = 1,
    progress: Progress = _silent,
) -> float:
    """Fit, leave out, calibrate, and write what was found into the catalog's folder ``root``.

    ``runs`` are the leave-outs, ``jobs`` of which run at once; with ``keep_left_out`` those of the
    last fit are taken instead. Returns the seconds it took.
    """
    started = time.monotonic()
    data = read_data(root, profiles)
    steps = Steps.of(root, data, progress, jobs)
    memory, arenas = (
        fit_memory(read_peaks(root, data)),
        read_arenas(root, data.table, data.architecture),
    )
    (memory.with_arena(fit_arena(arenas)) if len(arenas.seen) else memory).write(root)
    write_publications(root)
    progress("read")
    kept = read_left_out(root / FILE, data) if keep_left_out else None
    fits, found = fit_all(data, runs, steps=steps, found=kept)
    for name, fitted in fits.items():
        write_fitted(fitted, root, name)
    write_left_out(found, data, root / FILE)
    fit_energy(root, profiles, data).write(root)
    if steps.folder is not None:
        shutil.rmtree(steps.folder)
    return time.monotonic() - started


def fit_all(
    data: Data,
    runs: tuple[Run, ...] = RUNS,
    *,
    steps: "Steps | None" = None,
    found: Mapping[str, RunResult] | None = None,
) -> tuple[dict[str, Fitted], dict[str, RunResult]]:
    """Tune and fit the latency estimator, and calibrate it by what is left out.

    Returns the fits by the name of their files, to all lanes and, where there are very long ones,
    to those alone, and all that was left out. ``found`` is taken instead of leaving out again.
    """
    steps = steps or Steps(folder=None, data=data)
    kinds = (False, True) if data.long_lanes.any() else (False,)
    left = dict(found or {})
    fits: dict[bool, Fitted] = {}
    for long in kinds:
        fits[long], means, variances = _fitted(data, steps, long=long)
        steps.progress(f"fit to {_name(long)}")
        if found is None:
            mine = tuple(run for run in runs if run.long == long)
            left |= left_out(steps, mine, means, variances)
    calibrated = {
        LONG if long else ALL: replace(fitted, calibration=calibration_of(data, left, long=long))
        for long, fitted in fits.items()
    }
    return calibrated, left


def count_steps(runs: tuple[Run, ...] = RUNS) -> int:
    """Return how many steps a refit reports."""
    return 3 + len(_shared(runs))


def _shared(runs: tuple[Run, ...]) -> list[tuple[Run, ...]]:
    """Return the runs that are executed together, one after the other."""
    return [
        mine
        for long, crossed in product((False, True), repeat=2)
        for splits in ((Split.CHIP,), tuple(set(Split) - {Split.CHIP}))
        if (
            mine := tuple(
                run
                for run in runs
                if (run.long, run.crossed) == (long, crossed) and run.split in splits
            )
        )
    ]


def _name(long: bool) -> str:
    return "very long lanes" if long else "all lanes"


def _fitted(data: Data, steps: Steps, *, long: bool) -> tuple[Fitted, Means, Variances]:
    """Fit one of the two estimators; not yet calibrated."""
    cells = data.of_long_lanes() if long else data.for_all_lanes(CELLS)
    part = data.take(cells)
    means = means_of_long(part) if long else means_of(part)
    variances = steps.tuned(FitPart(data=part, cells=cells, means=means))
    if not long:
        part = replace(part, lanes=part.lanes.with_odd(oddness(part, means, variances)))
    return solve(part, means, variances).whole(), means, variances


def left_out(
    steps: Steps, runs: tuple[Run, ...], near: Means, variances: Variances
) -> dict[str, RunResult]:
    """Leave everything out of one of the two fits; crossed runs tune their own variances."""
    from joblib import Parallel, delayed

    part = FitPart.of(steps.data, near)
    silent = replace(steps, progress=_silent)
    crossed = sorted({run.tuned_by for run in runs if run.tuned_by is not None})
    tuning = Parallel(n_jobs=steps.jobs)(delayed(silent.tuned)(part, one) for one in crossed)
    tuned: dict[Split | None, Variances] = dict(zip(crossed, tuning, strict=True))
    tuned[None] = variances
    leave = partial(_at, silent, part, tuned)
    shared = _shared(runs)
    work = Parallel(n_jobs=min(steps.jobs, len(shared)), return_as="generator")
    found: dict[str, RunResult] = {}
    for made in work(delayed(leave)(mine) for mine in shared):
        found |= made
        steps.progress(f"left out of {_name(near.is_of_long)}")
    return found


def _at(
    steps: Steps, part: FitPart, tuned: Mapping[Split | None, Variances], runs: tuple[Run, ...]
) -> dict[str, RunResult]:
    name = " ".join(run.name for run in runs)
    variances = tuned[runs[0].tuned_by]
    return steps.left_out(f"left out {name}", partial(execute, part, runs, variances))
