"""``advisor models``: list networks and show what is known of one."""

import json
from typing import Any

import click

from advisor.core.quantity import Unit, human

_form = click.option("--format", "form", type=click.Choice(["table", "json"]), default="table",
                     show_default=True, help="What standard output gets.")  # fmt: skip


@click.group("models")
def command() -> None:
    """List networks and show what is known of one."""


@command.command("ls")
@click.argument("pattern", default="*")
@_form
def ls(pattern: str, form: str) -> int:
    """List trained weights with accuracy and size; PATTERN is a wildcard such as 'mobilenet*'."""
    from advisor.answering.evidence import Evidence
    from advisor.answering.listings import model_list

    found = model_list(Evidence(), pattern).models
    if form == "json":
        facts = [one.model_dump() for one in found]
        click.echo(json.dumps(facts, indent=1, ensure_ascii=False))
        return 0
    from advisor.cli.terminal_table import print_table

    print_table(
        ["Model", "Input", "Top-1", "MACs", "Parameters", "Trained on", "Licence"],
        [
            [
                one.model,
                str(one.resolution),
                human(one.top1, Unit.FRACTION),
                human(one.macs, Unit.COUNT),
                human(one.parameters, Unit.COUNT),
                one.training_data,
                one.license or "not stated",
            ]
            for one in found
        ],
    )
    return 0


def _name(network: str, tag: str) -> str:
    return f"{network}.{tag}" if tag else network


@command.command("show")
@click.argument("candidate")
@_form
def show(candidate: str, form: str) -> int:
    """Show a network's workload by operator class, its weights and their accuracies.

    CANDIDATE is a name, module:factory or an ONNX file.
    """
    from advisor.answering.evidence import Evidence

    evidence = Evidence()
    workload = evidence.workload(evidence.candidates([candidate])[0])
    facts: dict[str, Any] = {
        "network": workload.network,
        "resolution": workload.resolution,
        "macs": workload.macs,
        "parameters": workload.parameters,
        "activations": workload.activations,
        "bytes_moved_fp32": workload.bytes_moved(4),
        "peak_activation_bytes_fp32": 4 * workload.peak_activations,
        "launches": workload.launches,
        "operators": {
            str(operator): {"calls": calls, "macs": macs, "elements_moved": elements}
            for operator, calls, macs, elements in workload.by_operator()
        },
        "uncounted": workload.uncounted,
        "caveats": workload.caveats,
        "weights": [
            {"model": _name(w.network, w.tag), "resolution": w.resolution, "top1": w.top1,
             "top5": w.top5, **dict(w.others), "training_data": w.training_data,
             "license": w.license, "source": w.source_ref}
            for w in evidence.weights
            if w.network == workload.network
        ],
        "cifar": [
            {"model": one.model, "cifar10_top1": one.cifar10_top1,
             "cifar100_top1": one.cifar100_top1, "source": one.source_ref}
            for one in evidence.cifar(workload.network)
        ],
    }  # fmt: skip
    if form == "json":
        click.echo(json.dumps(facts, indent=1, ensure_ascii=False))
    else:
        _print(facts)
    return 0


def _print(facts: dict[str, Any]) -> None:
    from advisor.cli.terminal_table import print_table

    click.echo(f"{facts['network']} at {facts['resolution']} pixels, batch 1")
    for label, key, unit in (
        ("MACs", "macs", Unit.COUNT),
        ("Parameters", "parameters", Unit.COUNT),
        ("Activations", "activations", Unit.COUNT),
        ("Moved, fp32", "bytes_moved_fp32", Unit.BYTE),
        ("Peak activations, fp32", "peak_activation_bytes_fp32", Unit.BYTE),
        ("Operators after folding", "launches", Unit.COUNT),
    ):
        click.echo(f"  {label}: {human(facts[key], unit)}")
    click.echo()
    print_table(
        ["Operator class", "Calls", "MACs", "Elements moved"],
        [
            [
                name,
                str(item["calls"]),
                human(item["macs"], Unit.COUNT),
                human(item["elements_moved"], Unit.COUNT),
            ]
            for name, item in facts["operators"].items()
        ],
    )
    for caveat in [*facts["caveats"], *(f"not counted: {item}" for item in facts["uncounted"])]:
        click.echo(f"Caveat: {caveat}")
    if facts["weights"]:
        click.echo()
        print_table(
            ["Weights", "Input", "Top-1", "Trained on", "Licence", "Source"],
            [
                [
                    w["model"],
                    str(w["resolution"]),
                    human(w["top1"], Unit.FRACTION),
                    w["training_data"],
                    w["license"] or "not stated",
                    w["source"],
                ]
                for w in facts["weights"]
            ],
        )
    if facts["cifar"]:
        click.echo()
        print_table(
            ["Trained on CIFAR", "CIFAR-10 top-1", "CIFAR-100 top-1", "Source"],
            [
                [
                    one["model"],
                    *(
                        "not stated" if top1 is None else human(top1, Unit.FRACTION)
                        for top1 in (one["cifar10_top1"], one["cifar100_top1"])
                    ),
                    one["source"],
                ]
                for one in facts["cifar"]
            ],
        )
