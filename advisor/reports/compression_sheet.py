"""The report of a compression: what each file costs and brings, side by side."""

from collections.abc import Iterator

from advisor.core.quantity import Unit, human
from advisor.reports.sheet import Sheet, SheetFigure, SheetSection, SheetTable
from advisor.reports.trial_charts import accuracy_bars
from advisor.reports.wording import plural
from advisor.trials.compression_record import CompressedFile, CompressionRecord

HEAD = ("File", "Precision", "Parameters", "MACs", "Size", "Accuracy", "Interval", "Change",
        "Latency here", "Faster", "Estimated")  # fmt: skip


def compression_sheet(record: CompressionRecord) -> Sheet:
    """Compute the report of a compression."""
    bars = [
        (one.name, one.accuracy.value, one.accuracy.low, one.accuracy.high) for one in record.files
    ]
    lane = f" Estimated: {record.lane}." if record.lane else ""
    note = (
        f"Accuracy of each file in ONNX Runtime on {record.files[0].accuracy.images:,} test "
        f"images, with the {100 * record.files[0].accuracy.level:g} % interval; the change is to "
        "the first file on the same images. Latency here: median of a batch of one in ONNX "
        f"Runtime, {plural(record.environment.threads, 'thread')}, all files in turns.{lane}"
    )
    rows = tuple(_row(one) for one in record.files)
    return Sheet(
        title=f"{record.request.model}, compressed",
        subtitle=f"On {record.data.name}, {record.created[:10]}",
        headline=_headline(record),
        sentences=(f"The network {record.weights.statement}.",),
        facts=tuple(_facts(record)),
        warnings=record.warnings,
        sections=(
            SheetSection(
                title="Before and after",
                tables=(SheetTable(title="", head=HEAD, rows=rows, note=note),),
                figures=(
                    SheetFigure(
                        title="Accuracy with interval",
                        drawing=accuracy_bars(bars, title="Accuracy of each file"),
                    ),
                ),
                text=tuple(f"{one.name}: {one.gap}" for one in record.files if one.gap),
                brief=True,
            ),
            *_tried(record),
            SheetSection(
                title="The files",
                tables=(
                    SheetTable(
                        title="",
                        head=("File", "Name", "SHA-256"),
                        rows=tuple((one.name, one.file, one.sha256) for one in record.files),
                    ),
                ),
            ),
        ),
        command=record.command,
        versions=(
            ("Advisor version", record.advisor_version),
            ("Finished at", record.created),
            ("Images (SHA-256)", record.data.digest),
            ("Code (SHA-256)", record.code),
            *record.environment.packages.items(),
        ),
    )


def _tried(record: CompressionRecord) -> Iterator[SheetSection]:
    """Tell what the search tried, the most accurate first."""
    if not record.tried:
        return
    limit = record.request.max_latency
    kept = f" within {human(limit, Unit.SECOND)}" if limit is not None else ""
    where = f"upper end of the estimate for {record.lane}" if record.lane else "measured here"
    rows = tuple(
        (
            " ".join(f"{100 * share:.0f}" for share in one.shares),
            one.precision,
            f"{100 * one.accuracy:.1f} %",
            human(one.latency, Unit.SECOND),
            "chosen" if one.chosen else "",
        )
        for one in sorted(record.tried, key=lambda one: -one.accuracy)
    )
    groups = len(record.tried[0].shares)
    note = (
        f"Optuna chose the share of the channels that goes in each of {groups} "
        "groups of layers, from the input to the classes, and the precision. Accuracy: on the "
        f"validation images, after a third of the passes. Latency: {where}. Chosen: the most "
        f"accurate{kept or ' at the knee of the front'}; it was then taught for all passes."
    )
    head = ("Pruned, %", "Precision", "Accuracy", "Latency", "")
    yield SheetSection(
        title="What was tried",
        tables=(SheetTable(title="", head=head, rows=rows, note=note),),
    )


def _headline(record: CompressionRecord) -> str:
    last = record.files[-1]
    change = _change(last)
    faster = f"{last.measured.speed_up:.2f} × as fast here" if last.measured else "not timed"
    return f"{last.name}: {faster}, accuracy {change}"


def _facts(record: CompressionRecord) -> Iterator[tuple[str, str]]:
    yield "Network", record.request.model
    yield "Input", f"{record.resolution} × {record.resolution} pixels"
    yield "Images", f"{record.data.images:,} in {len(record.data.classes)} classes"
    yield "Folder", record.folder


def _row(one: CompressedFile) -> tuple[str, ...]:
    timed, figure = one.measured, one.estimated
    return (
        one.name,
        one.precision,
        human(one.parameters, Unit.COUNT),
        human(one.macs, Unit.COUNT),
        human(one.bytes, Unit.BYTE),
        f"{100 * one.accuracy.value:.1f} %",
        f"{100 * one.accuracy.low:.1f} to {100 * one.accuracy.high:.1f} %",
        _change(one),
        human(timed.median, Unit.SECOND) if timed else "–",
        f"{timed.speed_up:.2f} ×" if timed else "–",
        f"{human(figure.value, Unit.SECOND)} ({human(figure.low, Unit.SECOND)} to "
        f"{human(figure.high, Unit.SECOND)})"
        if figure
        else "–",
    )


def _change(one: CompressedFile) -> str:
    if one.change is None:
        return "–"
    change = one.change
    points = [f"{100 * x:+.1f}".replace("-", "−") for x in (change.value, change.low, change.high)]
    return f"{points[0]} points ({points[1]} to {points[2]})"
