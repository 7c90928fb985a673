"""``advisor procure``: the review of several devices for one purchase."""

from pathlib import Path
from typing import Any

import click

from advisor.cli.options import asked, config_option, output_options, request_options
from advisor.cli.output import checked, deliver, layout, say
from advisor.core.request import PurchaseRequest
from advisor.errors import UsageError

NOTHING_MEETS = 3
"""Exit code where no device has a model that is certain to keep every limit."""


@click.command("procure")
@request_options(PurchaseRequest)
@click.option("--write-assumptions", type=click.Path(path_type=Path, dir_okay=False),
              help="Write a commented file to edit, and stop.")  # fmt: skip
@config_option
@output_options
def command(write_assumptions: Path | None, form: str, output: tuple[Path, ...], **_: Any) -> int:
    """Review devices for a purchase: best models, cost over the years, supply, a ranking.

    Example: advisor procure --devices jetson-nano,raspberry-pi-5 --max-latency 50ms
    --quantity 500 --years 5 --duty-cycle 40% --tariff 0.30USD/kWh -o review.html
    """
    if write_assumptions is not None:
        return _write_template(write_assumptions)
    from advisor.answering.asking import evidence_for
    from advisor.procurement.ask import procure

    files = checked(output, of_review=True)
    request = asked(PurchaseRequest)
    document = procure(request, evidence_for(request.profiles_dir))
    deliver(document, form, files, layout())
    return 0 if any(d.outcome == "meets" for d in document.devices) else NOTHING_MEETS


def _write_template(path: Path) -> int:
    from advisor.files.saving import save
    from advisor.procurement.assumptions import TEMPLATE

    if path.exists():
        raise UsageError(f"{path} exists; name a new file")
    save(path, TEMPLATE.read_bytes())
    say(f"wrote {path}; edit it and pass it with --assumptions {path}")
    return 0
