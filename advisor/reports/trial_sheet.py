"""The report of a trial: who is best, how sure that is, how each was taught, what it confuses."""

from collections.abc import Iterator, Sequence

from advisor.core.quantity import Unit, human
from advisor.reports.sheet import Picture, Sheet, SheetFigure, SheetSection, SheetTable
from advisor.reports.trial_charts import (
    accuracy_bars,
    confusion,
    reliability_diagram,
    training_curves,
)
from advisor.reports.wording import plural
from advisor.trials.record import (
    Comparison,
    ImageAccuracy,
    Stage,
    Standing,
    TrialRecord,
    TrialRun,
)

STAGES = {
    Stage.PROBE: "linear probe",
    Stage.FINETUNE: "fine-tuned",
    Stage.SCRATCH: "from scratch",
}
CONFUSED = 20
"""Classes that a confusion matrix is drawn for."""
LISTED = 40
"""Pairs of models that are listed."""


def trial_sheet(record: TrialRecord) -> Sheet:
    """Compute the report of a trial."""
    chosen = _chosen(record)
    return Sheet(
        title=f"Models on your images: {record.data.name}",
        subtitle=f"Trial of {record.created[:10]}",
        headline=_headline(record),
        sentences=tuple(_sentences(record)),
        facts=tuple(_facts(record)),
        warnings=record.warnings,
        sections=(
            _standings(record, chosen),
            _runs(record),
            _curves(record),
            *(_model(record, run) for run in chosen.values()),
            _pairs(record),
            _images(record),
        ),
        command=record.command,
        versions=tuple(_versions(record)),
    )


def _headline(record: TrialRecord) -> str:
    best = record.standings[0]
    tied = [s.model for s in record.standings[1:] if s.tied_with_best]
    if not tied:
        return f"{best.model} is right most often: {_share(best.accuracy)}"
    others = " and ".join(tied) if len(tied) < 3 else f"{len(tied)} others"
    return f"{best.model} ({_share(best.accuracy)}) is tied with {others}"


def _sentences(record: TrialRecord) -> Iterator[str]:
    best = record.standings[0]
    yield (
        f"{STAGES[best.stage].capitalize()}, judged on {best.accuracy.images:,} images that "
        f"nothing was learnt from or chosen by. {_interval(best.accuracy)} is the interval."
    )
    if record.baseline is not None:
        base = record.baseline
        yield f"A {base.name} reaches {_share(base.accuracy)} ({_interval(base.accuracy)})."
    if not any(standing.trained_weights for standing in record.standings):
        yield (
            "No trained weights were at hand: all networks started from random ones, which costs "
            "most of their accuracy on few images."
        )


def _facts(record: TrialRecord) -> Iterator[tuple[str, str]]:
    data = record.data
    parts = {part: sum(counts.values()) for part, counts in data.parts.items()}
    yield "Images", f"{data.images:,} in {len(data.classes)} classes"
    yield "Used", ", ".join(f"{count:,} {part}" for part, count in parts.items())
    yield "Split", "as given" if data.given_split else "by class, drawn from the seed"
    yield "Largest class by smallest", f"{data.imbalance:.1f}"
    yield "Machine", f"{record.environment.machine}, {plural(record.environment.threads, 'thread')}"
    yield "Time", human(sum(run.seconds for run in record.runs), Unit.SECOND)


def _chosen(record: TrialRecord) -> dict[str, TrialRun]:
    """Return for each model, best first, the run that its standing tells of."""
    found = {}
    for standing in record.standings:
        runs = [
            run
            for run in record.runs
            if run.model == standing.model and run.stage is standing.stage and run.accuracy
        ]
        found[standing.model] = max(runs, key=lambda run: run.validation or 0.0)
    return found


def _standings(record: TrialRecord, chosen: dict[str, TrialRun]) -> SheetSection:
    p = _by_pair(record.comparisons)
    best = record.standings[0].model
    rows = []
    for standing in record.standings:
        run = chosen[standing.model]
        rows.append(
            (
                standing.model,
                _share(standing.accuracy),
                _interval(standing.accuracy),
                _beside(standing, best, p),
                STAGES[standing.stage],
                "trained" if standing.trained_weights else "random",
                f"{100 * (run.balanced or 0.0):.1f} %",
                f"{100 * (run.calibration_error or 0.0):.1f}",
                f"{run.images_per_second:,.0f}" if run.images_per_second else "–",
            )
        )
    head = ("Model", "Accuracy", "Interval", "Against the best", "Way", "Start", "Balanced",
            "Calibration error", "Images/s here")  # fmt: skip
    level = f"{100 * record.request.level:g} %"
    note = (
        f"Accuracy on the test images, with the {level} interval of Wilson's score"
        f"{' and of the seeds' if record.request.seeds > 1 else ''}; the way of each model was "
        "chosen by the validation images. Tied: McNemar's exact test, adjusted for all pairs "
        "(Holm), does not tell them apart at 5 %. Balanced: mean recall of the classes. "
        "Calibration error in points: how far confidence is from being right."
    )
    bars = [(s.model, s.accuracy.value, s.accuracy.low, s.accuracy.high) for s in record.standings]
    if record.baseline is not None:
        base = record.baseline.accuracy
        bars.append(("raw pixels", base.value, base.low, base.high))
    return SheetSection(
        title="Who is best",
        tables=(SheetTable(title="", head=head, rows=tuple(rows), note=note),),
        figures=(
            SheetFigure(
                title="Accuracy with interval",
                drawing=accuracy_bars(bars, title="Accuracy of each model with its interval"),
            ),
        ),
        brief=True,
    )


def _by_pair(tests: Sequence[Comparison]) -> dict[frozenset[str], Comparison]:
    return {frozenset((test.first, test.second)): test for test in tests}


def _beside(standing: Standing, best: str, tests: dict[frozenset[str], Comparison]) -> str:
    if standing.model == best:
        return "best"
    test = tests.get(frozenset((standing.model, best)))
    told = f" (p = {test.p:.3f})" if test and test.p >= 0.001 else " (p < 0.001)"
    return ("tied" if standing.tied_with_best else "behind") + told


def _runs(record: TrialRecord) -> SheetSection:
    rows = [
        (
            run.model,
            STAGES[run.stage],
            str(run.seed),
            str(run.resolution),
            f"{run.epochs:.1f}" if run.steps else "–",
            f"{run.recipe.learning_rate:.2g}" if run.recipe and run.recipe.learning_rate else "–",
            _share(run.accuracy) if run.accuracy else run.state,
            f"{100 * run.validation:.1f} %" if run.validation is not None else "–",
            human(run.seconds, Unit.SECOND),
            f"{run.train_images_per_second:,.0f}" if run.train_images_per_second else "–",
            run.reason or run.weights.statement,
        )
        for run in record.runs
    ]
    head = ("Model", "Way", "Seed", "Input", "Epochs", "Learning rate", "Accuracy", "Validation",
            "Time", "Images/s learnt", "Start")  # fmt: skip
    table = SheetTable(title="", head=head, rows=tuple(rows))
    return SheetSection(title="Every run", tables=(table,))


def _curves(record: TrialRecord) -> SheetSection:
    figures = []
    for stage in (Stage.FINETUNE, Stage.SCRATCH):
        runs = [run for run in record.runs if run.stage is stage and run.curve]
        for up, values in (
            ("accuracy on the validation images", "accuracy"),
            ("loss on the validation images", "loss"),
        ):
            drawing = training_curves(
                [
                    (
                        f"{run.model}{f', seed {run.seed}' if record.request.seeds > 1 else ''}",
                        [(p.step / run.curve[-1].step, getattr(p, values)) for p in run.curve],
                    )
                    for run in runs
                ],
                title=f"{STAGES[stage]}: {up} along the training",
                up=up,
            )
            if drawing:
                title = f"{STAGES[stage].capitalize()}: {up}"
                figures.append(SheetFigure(title=title, drawing=drawing))
    note = "Along each model's own budget: 100 % is its last step."
    return SheetSection(title="Training curves", figures=tuple(figures), text=(note,))


def _model(record: TrialRecord, run: TrialRun) -> SheetSection:
    names = record.data.classes
    rows = tuple(
        (
            score.name,
            f"{100 * score.precision:.1f} %",
            f"{100 * score.recall:.1f} %",
            f"{score.f1:.3f}",
            str(score.images),
        )
        for score in run.classes
    )
    head = ("Class", "Precision", "Recall", "F1", "Test images")
    title = f"Confusion of {run.model}"
    figures = [
        SheetFigure(
            title="Confusion",
            drawing=confusion(run.confusion, names, title=title),
            note="" if len(names) <= CONFUSED else f"The first {CONFUSED} of {len(names)} classes.",
        ),
        SheetFigure(
            title="Reliability",
            drawing=reliability_diagram(
                [(b.confidence, b.accuracy, b.images) for b in run.calibration],
                title=f"Reliability of {run.model}",
            ),
        ),
    ]
    return SheetSection(
        title=f"{run.model}, {STAGES[run.stage]}",
        text=(f"It {run.weights.statement}.", *_confusions(run, names)),
        tables=(SheetTable(title="Classes", head=head, rows=rows),),
        figures=tuple(figures),
        pictures=tuple(
            Picture(
                png=one.thumbnail,
                caption=f"{one.truth}, told as {one.told} ({100 * one.confidence:.0f} % sure): "
                f"{one.image}",
            )
            for one in run.mistakes
            if one.thumbnail
        ),
    )


def _confusions(run: TrialRun, names: Sequence[str]) -> Iterator[str]:
    found = [
        (images, names[i], names[j])
        for i, row in enumerate(run.confusion)
        for j, images in enumerate(row)
        if i != j and images
    ]
    worst = sorted(found, reverse=True)[:3]
    if worst:
        told = "; ".join(f"{images} × {truth} told as {as_}" for images, truth, as_ in worst)
        yield f"Most often confused: {told}."


def _pairs(record: TrialRecord) -> SheetSection:
    rows = tuple(
        (
            f"{test.first} – {test.second}",
            str(test.only_first),
            str(test.only_second),
            f"{test.p:.3f}" if test.p >= 0.001 else "< 0.001",
            "tied" if test.tied else "differ",
        )
        for test in record.comparisons[:LISTED]
    )
    head = ("Pair", "Only the first right", "Only the second right", "p", "Verdict")
    return SheetSection(
        title="Pairs", tables=(SheetTable(title="", head=head, rows=rows),) if rows else ()
    )


def _images(record: TrialRecord) -> SheetSection:
    rows = tuple(
        (name, *(str(record.data.parts[part].get(name, 0)) for part in record.data.parts))
        for name in record.data.classes
    )
    head = ("Class", *(part.capitalize() for part in record.data.parts))
    notes = tuple(
        f"{note.kind.capitalize()}: {', '.join(note.images[:12])}"
        f"{' …' if len(note.images) > 12 else ''}"
        for note in record.data.notes
    )
    return SheetSection(
        title="The images", tables=(SheetTable(title="", head=head, rows=rows),), text=notes
    )


def _versions(record: TrialRecord) -> Iterator[tuple[str, str]]:
    yield "Advisor version", record.advisor_version
    yield "Finished at", record.created
    yield "Random seed", str(record.request.seed)
    yield "Images (SHA-256)", record.data.digest
    yield "Code (SHA-256)", record.code
    yield from record.environment.packages.items()


def _share(accuracy: ImageAccuracy) -> str:
    return f"{100 * accuracy.value:.1f} %"


def _interval(accuracy: ImageAccuracy) -> str:
    return f"{100 * accuracy.low:.1f} to {100 * accuracy.high:.1f} %"
