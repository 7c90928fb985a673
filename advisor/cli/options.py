"""Options that several commands share, and how they become a Request."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from advisor.core.document import Limit, Request
from advisor.core.quantity import Metric, Unit, parse
from advisor.errors import UsageError, unknown_name

Function = TypeVar("Function", bound=Callable[..., Any])

LIMITS: dict[str, tuple[Metric, str, str]] = {
    "max_latency": (Metric.LATENCY, "at_most", "Most time of one batch, such as 10ms."),
    "min_throughput": (Metric.THROUGHPUT, "at_least", "Least images a second, such as 30/s."),
    "max_memory": (Metric.PEAK_MEMORY, "at_most", "Most memory at once, such as 512MB."),
    "max_weights": (Metric.WEIGHTS, "at_most", "Largest weight size, such as 20MB."),
    "max_params": (Metric.PARAMETERS, "at_most", "Most parameters, such as 5M."),
    "max_macs": (Metric.MACS, "at_most", "Most multiply-accumulates, such as 600M."),
    "max_energy": (Metric.ENERGY, "at_most", "Most energy of one image, such as 20mJ."),
    "max_power": (Metric.POWER, "at_most", "Most average power, such as 5W."),
    "min_top1": (Metric.TOP1, "at_least", "Least ImageNet-1k top-1, such as 75%."),
}
"""Limit options: metric, side of the bound, help."""


class Words(click.types.StringParamType):
    """Words separated by commas; in a request file also a list of them."""


WORDS = Words()


def _chain(options: Iterable[Callable[[Function], Function]]) -> Callable[[Function], Function]:
    stacked = list(options)

    def decorate(function: Function) -> Function:
        for option in reversed(stacked):
            function = option(function)
        return function

    return decorate


def _read_config(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    """Make a request file's keys the defaults of the command's options."""
    if value is None:
        return None
    from advisor.hardware.library import read_mapping

    allowed = {_key(p): p for p in ctx.command.params if p is not param}
    settings = {str(key).replace("-", "_"): item for key, item in read_mapping(value).items()}
    stated: dict[str, Any] = {}
    for key, item in settings.items():
        if key not in allowed:
            raise unknown_name(f"key in {value}:", key, allowed, f"{ctx.command_path} --help")
        if item is not None:
            stated[str(allowed[key].name)] = _setting(allowed[key], item, f"{value}: {key}")
    ctx.default_map = {**(ctx.default_map or {}), **stated}
    return value


def _key(param: click.Parameter) -> str:
    """The name of an option as it is written, which is its key in a request file."""
    return max(param.opts, key=len).lstrip("-").replace("-", "_")


def _setting(param: click.Parameter, item: Any, where: str) -> Any:
    """Return what a request file states of an option, in the form that click takes."""
    repeated = param.nargs == -1 or getattr(param, "multiple", False)
    if not isinstance(item, list | dict):
        return [item] if repeated else item
    if not (repeated or isinstance(param.type, Words)):
        raise UsageError(f"{where}: {item!r} is not one value; this option takes a single one")
    if isinstance(item, dict) or not all(_is_word(one) for one in item):
        raise UsageError(f"{where}: {item!r} is not a list of words; write [a, b] or a,b")
    return item if repeated else ",".join(map(str, item))


def _is_word(item: Any) -> bool:
    return isinstance(item, str | int | float) and not isinstance(item, bool)


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    is_eager=True,
    expose_value=False,
    callback=_read_config,
    help="YAML file with any of these options; the command line wins.",
)

lane_options = _chain(
    [
        click.option("--unit", help="cpu, gpu, npu, tpu or dla."),
        click.option("--runtime", help="Runtime, such as tensorrt or ncnn."),
        click.option("--precision", type=WORDS,
                     help="Precisions, separated by commas; they compete."),
        click.option("--batch", type=int, help="Images of one pass."),
        click.option("--threads", type=int, help="CPU threads."),
        click.option("--profiles-dir", type=click.Path(path_type=Path, file_okay=False),
                     help="Folder of your own device profiles."),
    ]
)  # fmt: skip

limit_options = _chain(
    click.option("--" + name.replace("_", "-"), name, metavar="QUANTITY", help=text)
    for name, (_, _, text) in LIMITS.items()
)

output_options = _chain(
    [
        click.option(
            "--format",
            "form",
            type=click.Choice(["table", "json", "csv", "markdown"]),
            default="table",
            show_default=True,
            help="What standard output gets.",
        ),
        click.option(
            "-o",
            "--output",
            multiple=True,
            type=click.Path(path_type=Path, dir_okay=False),
            help="File to write; the suffix picks the format. Repeatable.",
        ),
    ]
)


def limits(options: dict[str, Any]) -> tuple[Limit, ...]:
    """Collect the limit options that were given."""
    found = []
    for name, (metric, side, _) in LIMITS.items():
        text = options.get(name)
        if text is not None:
            bound = parse(str(text), metric.unit, option="--" + name.replace("_", "-"))
            found.append(Limit.model_validate({"metric": metric, side: bound}))
    return tuple(found)


def words(text: Any) -> tuple[str, ...]:
    """Split ``a,b`` or a list of such; None gives nothing."""
    parts = text if isinstance(text, list | tuple) else [text] if text else []
    return tuple(word.strip() for part in parts for word in str(part).split(",") if word.strip())


def fraction(text: str, *, option: str) -> float:
    """Read ``90%`` or ``0.9``."""
    if str(text).replace(".", "", 1).isdigit() and 0 < float(text) < 1:
        return float(text)
    return parse(str(text), Unit.FRACTION, option=option)


def objectives(rank_by: str | None, weights: str | None) -> dict[Metric, float]:
    """Read ``--rank-by top1`` or ``--weights top1=0.6,latency=0.4``; default top-1."""
    if rank_by and weights:
        raise UsageError("give --rank-by or --weights, not both")
    if not weights:
        return {metric(rank_by or "top1", option="--rank-by"): 1.0}
    found: dict[Metric, float] = {}
    for item in words(weights):
        name, _, value = item.partition("=")
        try:
            found[metric(name, option="--weights")] = float(value)
        except ValueError:
            raise UsageError(f"--weights: {item!r} is not METRIC=NUMBER") from None
    if any(w < 0 for w in found.values()) or sum(found.values()) <= 0:
        raise UsageError(f"--weights: {weights!r}: weights must not be negative or all zero")
    return found


def metric(name: str, *, option: str) -> Metric:
    """Read the name of a metric."""
    try:
        return Metric(name.strip().replace("-", "_"))
    except ValueError:
        raise UsageError(
            f"{option}: unknown metric {name!r}; allowed: {', '.join(Metric)}"
        ) from None


def lane_fields(options: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a Request that the lane options fill."""
    return {
        "unit": options["unit"],
        "runtime": options["runtime"],
        "precisions": words(options["precision"]),
        "batch": options["batch"],
        "threads": options["threads"],
    }


def request_from(options: dict[str, Any]) -> Request:
    """Build the Request that the options of ``recommend`` describe."""
    return Request(
        device=options["device"],
        **lane_fields(options),
        limits=limits(options),
        confidence=fraction(options["confidence"], option="--confidence"),
        weights=objectives(options["rank_by"], options["weights"]),
        models=words(options["models"]),
        exclude=words(options["exclude"]),
        licenses=words(options["license"]),
        all_weights=options["all_weights"],
        published=not options["no_published"],
        search=options["search"],
        measure=options["measure"],
        accuracy_from=options["accuracy_from"] or "",
        top=options["top"],
        seed=options["seed"],
    )
