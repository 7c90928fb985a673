"""``advisor doctor``: what is installed, what is missing, what to do."""

import json
from importlib import metadata, util
from typing import Any

import click

from advisor.core.quantity import Unit, human
from advisor.hardware.library import advisor_home, catalog_directory, profile_library

PACKAGES = {
    "torch": ("counting networks that are not in the catalog", "pip install torch"),
    "timm": ("building networks", "pip install timm"),
    "ptflops": ("the second opinion on counts", "pip install ptflops"),
    "optuna": ("the search", "pip install optuna"),
    "sklearn": ("fitting the estimator again", "pip install scikit-learn"),
    "onnx": ("reading ONNX files", "pip install 'vision-advisor[onnx]'"),
    "onnxruntime": ("measuring with ONNX Runtime", "pip install 'vision-advisor[onnxruntime]'"),
    "openvino": ("measuring with OpenVINO", "pip install 'vision-advisor[openvino]'"),
    "nncf": ("int8 with OpenVINO", "pip install 'vision-advisor[openvino]'"),
    "ncnn": ("measuring with ncnn", "pip install 'vision-advisor[ncnn]'"),
    "pnnx": ("converting networks for ncnn", "pip install 'vision-advisor[ncnn]'"),
    "torchao": ("int8 with torch.compile", "pip install 'vision-advisor[inductor]'"),
    "ai_edge_litert": ("measuring with LiteRT", "pip install 'vision-advisor[litert]'"),
    "flask": ("answers in the browser", "pip install 'vision-advisor[serve]'"),
    "waitress": ("answers in the browser", "pip install 'vision-advisor[serve]'"),
    "weasyprint": ("reports as PDF", "pip install 'vision-advisor[pdf]'"),
}
"""Packages by what they serve and the command that brings them."""
EMPTY = "advisor measurements forget --exports"
"""Command that removes the networks that were converted for measuring."""
_DISTRIBUTION = {"ai_edge_litert": "ai-edge-litert", "sklearn": "scikit-learn"}


@click.command("doctor")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table",
              show_default=True, help="What standard output gets.")  # fmt: skip
def command(form: str) -> int:
    """Say what is installed and missing, what converted networks take on the disk, and what was
    left out of the catalog and why."""
    from advisor.catalog.intake.ledger import ledger
    from advisor.measuring.exports import exports_folder, size

    root = catalog_directory()
    lines = ledger(root)
    facts = {
        "catalog": str(root),
        "home": str(advisor_home()),
        "exports": {"folder": str(exports_folder()), "bytes": size(), "empty": EMPTY},
        "devices": len(profile_library().names()),
        "packages": [_package(name) for name in PACKAGES],
        "ledger": [
            {"source": line.source, "rows": line.total, "kept": line.kept, "caveat": line.caveat,
             "left_out": line.left_out, "reasons": dict(line.reasons)}
            for line in lines
        ],
    }  # fmt: skip
    if form == "json":
        click.echo(json.dumps(facts, indent=1, ensure_ascii=False))
    else:
        _print(facts)
    return 0


def _package(name: str) -> dict[str, str]:
    purpose, remedy = PACKAGES[name]
    if util.find_spec(name) is None:
        return {"name": name, "version": "missing", "for": purpose, "do": remedy}
    version = metadata.version(_DISTRIBUTION.get(name, name))
    return {"name": name, "version": version, "for": purpose, "do": ""}


def _exports(facts: dict[str, Any]) -> str:
    if not facts["bytes"]:
        return f"none in {facts['folder']}"
    taken = human(facts["bytes"], Unit.BYTE)
    return f"{taken} in {facts['folder']}; to empty it: {facts['empty']}"


def _print(facts: dict[str, Any]) -> None:
    from advisor.cli.terminal_table import print_table

    click.echo(f"Catalog: {facts['catalog']}")
    click.echo(f"Your data: {facts['home']}")
    click.echo(f"Converted networks: {_exports(facts['exports'])}")
    click.echo(f"Device profiles: {facts['devices']}")
    click.echo()
    print_table(
        ["Package", "Version", "Needed for", "What to do"],
        [list(package.values()) for package in facts["packages"]],
    )
    click.echo("\nPublished measurements: what was kept, doubted and left out")
    rows = [
        [
            line["source"],
            line["rows"],
            line["kept"],
            line["caveat"],
            line["left_out"],
            ", ".join(f"{reason} {n}" for reason, n in line["reasons"].items()),
        ]
        for line in facts["ledger"]
    ]
    totals = [sum(row[i] for row in rows) for i in range(1, 5)]
    print_table(
        ["Source", "Rows", "Kept", "With caveat", "Left out", "Left out because"],
        [*rows, ["all", *totals, ""]],
    )
