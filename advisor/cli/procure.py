"""``advisor procure``: the review of several devices for one purchase."""

import shutil
from pathlib import Path
from typing import Any

import click

from advisor.cli.options import (
    LIMITS,
    config_option,
    fraction,
    limit_options,
    limits,
    output_options,
    words,
)
from advisor.cli.output import checked, deliver, layout, say
from advisor.errors import UsageError, unknown_name

NOTHING_MEETS = 3
"""Exit code where no device has a model that is certain to keep every limit."""
_file = click.Path(path_type=Path, dir_okay=False)


@click.command("procure")
@click.option("--devices", multiple=True, help="Device profiles, separated by commas.")
@config_option
@limit_options
@click.option(
    "--confidence",
    default="90%",
    show_default=True,
    help="Probability with which each limit has to hold.",
)
@click.option("--models", multiple=True, help="Names or wildcards; default the whole catalog.")
@click.option("--exclude", multiple=True, help="Names or wildcards to leave out.")
@click.option(
    "--profiles-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of your own device profiles.",
)
@click.option("--quantity", type=click.IntRange(1), help="Devices to buy.")
@click.option("--years", type=click.FloatRange(0, min_open=True), help="Years of use.")
@click.option("--duty-cycle", metavar="PERCENT", help="Share of the time under load, such as 40%.")
@click.option("--tariff", metavar="MONEY", help="Price of energy, such as 0.30EUR/kWh.")
@click.option("--currency", help="Currency of the review; default USD.")
@click.option("--fx", multiple=True, metavar="CUR=USD", help="US dollars for one unit: EUR=1.10.")
@click.option("--baseline", help="Device to compare the others with; default the first.")
@click.option("--assumptions", type=_file, help="YAML file of prices, effort and weights.")
@click.option("--write-assumptions", type=_file, help="Write a commented file to edit, and stop.")
@click.option("--no-stale", is_flag=True, help="Refuse prices that are old or have no date.")
@output_options
def command(form: str, output: tuple[Path, ...], **options: Any) -> int:
    """Review devices for a purchase: best models, cost over the years, supply, a ranking.

    Example: advisor procure --devices jetson-nano,raspberry-pi-5 --max-latency 50ms
    --quantity 500 --years 5 --duty-cycle 40% --tariff 0.30USD/kWh -o review.html
    """  # fmt: skip
    from advisor.answering.evidence import evidence_with
    from advisor.procurement.ask import procure, refuse_stale
    from advisor.procurement.review import ProcurementRequest

    if options["write_assumptions"] is not None:
        return _write_template(options["write_assumptions"])
    names = words(options["devices"])
    if not names:
        raise UsageError("name devices: --devices jetson-nano,raspberry-pi-5")
    files = checked(output)
    stated = _assumptions(options)
    request = ProcurementRequest(
        devices=tuple(dict.fromkeys(names)),
        request=_common_request(names[0], options),
        assumptions_file=str(options["assumptions"] or ""),
    )
    wanted = {w.name: _workload_limits(w.name, w.limits) for w in stated.workloads}
    document = procure(request, stated, evidence_with(options["profiles_dir"]), wanted)
    if options["no_stale"]:
        refuse_stale(document)
    deliver(document, form, files, layout())
    return 0 if any(d.outcome == "meets" for d in document.devices) else NOTHING_MEETS


def _write_template(path: Path) -> int:
    from advisor.procurement.assumptions import TEMPLATE

    if path.exists():
        raise UsageError(f"{path} exists; name a new file")
    shutil.copyfile(TEMPLATE, path)
    say(f"wrote {path}; edit it and pass it with --assumptions {path}")
    return 0


def _assumptions(options: dict[str, Any]) -> Any:
    """Read the file of assumptions; options of the command line go before it."""
    from advisor.hardware.library import read_mapping
    from advisor.procurement.assumptions import assumptions

    path = options["assumptions"]
    raw = dict(read_mapping(path)) if path else {}
    for name in ("quantity", "years", "duty_cycle", "tariff", "currency", "baseline"):
        if options[name] is not None:
            raw[name] = options[name]
    rates = dict(map(_rate, words(options["fx"])))
    if rates:
        raw["fx"] = {**(raw.get("fx") or {}), **rates}
    return assumptions(raw, str(path or "command line"))


def _rate(text: str) -> tuple[str, float]:
    """Read ``EUR=1.10``."""
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value.strip().removesuffix("USD"))
    except ValueError:
        raise UsageError(f"--fx: cannot read {text!r}; write EUR=1.10") from None


def _common_request(device: str, options: dict[str, Any]) -> Any:
    from advisor.core.document import Request

    return Request(
        device=device,
        limits=limits(options),
        confidence=fraction(options["confidence"], option="--confidence"),
        models=words(options["models"]),
        exclude=words(options["exclude"]),
    )


def _workload_limits(workload: str, stated: dict[str, str]) -> Any:
    """Read the limits of a workload, written as on the command line."""
    named = {name.replace("-", "_"): text for name, text in stated.items()}
    for name in named:
        if name not in LIMITS:
            allowed = [one.replace("_", "-") for one in LIMITS]
            listing = "advisor procure --help"
            raise unknown_name(f"limit of workload {workload}:", name, allowed, listing)
    return limits(named)
