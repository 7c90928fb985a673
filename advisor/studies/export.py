"""Export a variant: YAML, Python that builds it by public calls, ONNX, how to measure it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from advisor.core.candidate import Candidate
from advisor.core.estimate import Estimate
from advisor.core.workload import Workload
from advisor.files.saving import make_folder, save
from advisor.networks.blueprints.shuffled import GHOST_STAGES
from advisor.networks.blueprints.stock import (
    Blueprint,
    CifarPlan,
    GhostPlan,
    MobilePlan,
    RegNetPlan,
    ResNetPlan,
    ShufflePlan,
    blueprint,
    resolution_of,
)
from advisor.networks.pricing.prices import price_one
from advisor.studies.outcome import Answers

ToOnnx = Callable[[Candidate, int, Path], None]
"""Writes a candidate's network for inputs of a resolution as an ONNX file."""
_HEAD = '''"""{name} for {side}x{side} images: {parameters:,} parameters, {macs:,} MACs.

Written by the advisor; needs training. Run it to check the count of parameters.
"""

{imports}


def build(num_classes: int = {classes}) -> nn.Module:
    """Build the network with random weights."""
{body}


if __name__ == "__main__":
    parameters = sum(p.numel() for p in build().parameters())
    assert parameters == {parameters}, parameters
    print(f"{{parameters:,}} parameters")
'''


def export(
    candidate: Candidate,
    folder: Path,
    *,
    recipe: str = "",
    answers: Answers | None = None,
    lane: str = "",
    to_onnx: ToOnnx | None = None,
) -> list[Path]:
    """Write the files of a variant into ``folder`` and return them.

    ``lane`` are the options of ``advisor measure`` that name the runtime, such as
    ``--runtime onnxruntime``. Raises NetworkError where the variant cannot be built.
    """
    workload = price_one(candidate)
    make_folder(folder)
    stem = file_stem(candidate)
    files = {
        f"{stem}.yaml": _yaml(candidate, workload, recipe, answers or {}),
        f"{stem}.py": python_source(candidate),
        f"{stem}.measure.sh": f"#!/bin/sh\n{measure_command(candidate, lane)}\n",
    }
    for name, text in files.items():
        save(folder / name, text)
    written = [folder / name for name in files]
    if to_onnx is not None:
        written.append(folder / f"{stem}.onnx")
        to_onnx(candidate, workload.resolution, written[-1])
    return written


def file_stem(candidate: Candidate) -> str:
    """Return the candidate's name without characters that files should not have."""
    name = candidate.name.replace("@", "-").replace(":", "-").replace("=", "")
    return name.replace(",", "-").replace(".", "_")


def measure_command(candidate: Candidate, lane: str = "") -> str:
    """Return the command that measures a variant."""
    return f"advisor measure '{candidate.name}' {lane}".rstrip()


def _yaml(candidate: Candidate, workload: Workload, recipe: str, answers: Answers) -> str:
    document: dict[str, Any] = {
        "candidate": candidate.name,
        "architecture": candidate.architecture,
        "resolution": workload.resolution,
        "axes": dict(candidate.axes),
        "needs_training": True,
        "recipe": recipe,
        "parameters": workload.parameters,
        "macs": workload.macs,
        "peak_activations": workload.peak_activations,
        "metrics": {m.value: _figure(e) for m, e in answers.items() if isinstance(e, Estimate)},
    }
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def _figure(estimate: Estimate) -> dict[str, Any]:
    return {
        "value": float(estimate.value),
        "low": float(estimate.interval.low),
        "high": float(estimate.interval.high),
        "level": estimate.interval.level,
        "unit": estimate.metric.unit.value,
        "origin": estimate.provenance.origin.value,
        "source": estimate.provenance.source,
    }


def python_source(candidate: Candidate) -> str:
    """Return a Python module that builds the variant without the advisor."""
    plan = blueprint(candidate)
    workload = price_one(candidate)
    imports, body = _SOURCES[type(plan)](candidate, plan)
    return _HEAD.format(
        name=candidate.name,
        side=resolution_of(candidate),
        parameters=workload.parameters,
        macs=workload.macs,
        imports=imports,
        body=body,
        classes=10 if isinstance(plan, CifarPlan) else 1000,
    )


def _mobile(_: Candidate, plan: MobilePlan) -> tuple[str, str]:
    stages = "".join(f"        {stage!r},\n" for stage in plan.strings)
    v3 = plan.builder == "MobileNetV3"
    squeeze = """
    squeeze = partial(
        SqueezeExcite,
        gate_layer="hard_sigmoid",
        force_act_layer=nn.ReLU,
        rd_round_fn=round_channels,
    )"""
    squeezed = "\n        se_layer=squeeze," if v3 else ""
    body = f"""    stages = [
{stages}    ]{squeeze if v3 else ""}
    return {plan.builder}(
        block_args=decode_arch_def(stages),
        stem_size={plan.stem},
        fix_stem=True,
        num_features={plan.features},
        act_layer=get_act_layer({plan.act!r}),
        pad_type={("same" if plan.same_padding else "")!r},
        num_classes=num_classes,{squeezed}
    )"""
    names = "SqueezeExcite, decode_arch_def, round_channels"
    names = names if v3 else "EfficientNet, decode_arch_def"
    imports = ["from functools import partial\n"] if v3 else []
    imports += ["from timm.layers import get_act_layer"]
    imports += [f"from timm.models.efficientnet import {names}"]
    imports += ["from timm.models.mobilenetv3 import MobileNetV3"] if v3 else []
    return "\n".join([*imports, "from torch import nn"]), body


def _resnet(candidate: Candidate, plan: ResNetPlan) -> tuple[str, str]:
    body = f"""    return timm.create_model(
        {candidate.architecture!r},
        layers={plan.layers},
        channels={plan.channels},
        num_classes=num_classes,
    )"""
    return "import timm\nfrom torch import nn", body


def _regnet(_: Candidate, plan: RegNetPlan) -> tuple[str, str]:
    body = f"""    config = RegNetCfg(
        depth={plan.depth},
        w0={plan.w0},
        wa={plan.wa:g},
        wm={plan.wm:g},
        group_size={plan.group},
        se_ratio={plan.se:g},
    )
    return RegNet(config, num_classes=num_classes)"""
    return "from timm.models.regnet import RegNet, RegNetCfg\nfrom torch import nn", body


def _ghost(_: Candidate, plan: GhostPlan) -> tuple[str, str]:
    stages = "".join(f"        {[list(block) for block in s]!r},\n" for s in GHOST_STAGES)
    body = f"""    stages = [
{stages}    ]
    return GhostNet(stages, width={plan.width:g}, num_classes=num_classes)"""
    return "from timm.models.ghostnet import GhostNet\nfrom torch import nn", body


def _shuffle(_: Candidate, plan: ShufflePlan) -> tuple[str, str]:
    body = f"""    return ShuffleNetV2(
        {list(plan.repeats)},
        {list(plan.channels)},
        num_classes=num_classes,
    )"""
    return "from torch import nn\nfrom torchvision.models import ShuffleNetV2", body


def _cifar(_: Candidate, plan: CifarPlan) -> tuple[str, str]:
    body = f"    return CifarResNet({plan.depth}, width={plan.width:g}, classes=num_classes)"
    return "from advisor.networks.cifar_resnet import CifarResNet\nfrom torch import nn", body


_SOURCES: Mapping[type[Blueprint], Callable[[Candidate, Any], tuple[str, str]]] = {
    MobilePlan: _mobile,
    ResNetPlan: _resnet,
    RegNetPlan: _regnet,
    GhostPlan: _ghost,
    ShufflePlan: _shuffle,
    CifarPlan: _cifar,
}
