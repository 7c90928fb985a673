"""``advisor doctor``: what is installed, what is missing, what to do."""

import json
from importlib import metadata, util
from typing import Any

import click

from advisor.core.extras import install, package_of
from advisor.core.quantity import Unit, human
from advisor.hardware.library import advisor_home, catalog_directory, profile_library

PACKAGES = {
    "torch": "counting networks that are not in the catalog",
    "timm": "building networks",
    "ptflops": "the second opinion on counts",
    "torchvision": "trials on your own images",
    "sklearn": "trials on your own images",
    "scipy": "fitting the estimator again",
    "onnx": "reading ONNX files",
    "onnxruntime": "measuring with ONNX Runtime",
    "openvino": "measuring with OpenVINO",
    "nncf": "int8 with OpenVINO",
    "ncnn": "measuring with ncnn",
    "pnnx": "converting networks for ncnn",
    "torchao": "int8 with torch.compile",
    "ai_edge_litert": "measuring with LiteRT",
    "flask": "answers in the browser",
    "waitress": "answers in the browser",
    "weasyprint": "reports as PDF",
}
"""Modules of the extras by what they serve."""
EMPTY = "advisor measurements forget --exports"
"""Command that removes the networks that were converted for measuring."""


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
    facts = {"name": name, "for": PACKAGES[name]}
    if util.find_spec(name) is None:
        return {**facts, "version": "missing", "do": install(name)}
    return {**facts, "version": metadata.version(package_of(name)), "do": ""}


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
        [
            [package[key] for key in ("name", "version", "for", "do")]
            for package in facts["packages"]
        ],
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
