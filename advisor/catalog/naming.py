"""Rules from a source's name of a network to the catalog's, where timm has no such network.

A rule names the source (``*`` for any), a pattern of the whole name, the catalog's spelling and
how sure the match is. The first rule that fits wins; no rule means that the row keeps only the
source's own name.
"""

import re
from dataclasses import dataclass
from functools import cache
from re import Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRule:
    """One mapping of names; ``{0}``, ``{1}`` in ``network`` are the pattern's groups."""

    source: str
    pattern: Pattern[str]
    network: str
    match: str


def _rule(source: str, pattern: str, network: str, match: str) -> NameRule:
    return NameRule(
        source=source, pattern=re.compile(pattern, re.IGNORECASE), network=network, match=match
    )


_W = r"0?\.\d+|\d\.\d+"
_RULES = (
    # Names of torchvision, wherever they are written out in full.
    _rule("*", r"(?:.*\.)?(shufflenet_v2_x\d_\d)", "{0}", "exact"),
    _rule("*", r"(?:.*\.)?squeezenet1_([01])", "squeezenet1_{0}", "exact"),
    _rule("torch2trt-*", r"(?:.*\.)?(alexnet)", "{0}", "exact"),
    _rule("torch2trt-*", r"(?:.*\.)?mnasnet1_3", "mnasnet_100:width=1.3", "exact"),
    _rule("pytorch-rpi-tutorial", r"(googlenet)", "{0}", "exact"),
    _rule("qai-hub-models", r"(googlenet)", "{0}", "exact"),
    _rule("qai-hub-models", r"shufflenet_v2", "shufflenet_v2_x0_5", "exact"),
    # ncnn's own model files.
    _rule("ncnn-bench", r"squeezenet(?:[_-]int8)?", "squeezenet1_1", "exact"),
    _rule("ncnn-bench", r"shufflenet", "shufflenet_v1_g3", "exact"),
    _rule("ncnn-bench", r"shufflenet_v2", "shufflenet_v2_x1_0", "close"),
    _rule("ncnn-bench", r"proxylessnasnet", "proxylessnas_mobile", "close"),
    _rule("ncnn-bench", r"googlenet(?:_int8)?", "googlenet", "close"),
    _rule("ncnn-bench", r"alexnet", "alexnet", "close"),
    # SqueezeNet with its version written in other ways.
    _rule("*", r"squeezenet[ _]?v?1[._]0(?:_int8)?", "squeezenet1_0", "exact"),
    _rule("*", r"squeezenet[ _]?v?1[._]1(?:_int8)?", "squeezenet1_1", "exact"),
    _rule("vitis-ai-model-zoo", r"cf_squeeze.*_227_227_0\.76G", "squeezenet1_1", "close"),
    _rule(
        "vitis-ai-model-zoo", r"pt_squeezenet_.*(?:351\.7M|703\.5M|3\.5)", "squeezenet1_1", "close"
    ),
    _rule("tnn-bench", r"shufflenet v2", "shufflenet_v2_x1_0", "close"),
    # Inception v1 is GoogLeNet; the copies differ in batch normalisation and padding. Numbers
    # such as 0.09 in a Vitis name are the pruned share: those are other networks.
    _rule(
        "vitis-ai-model-zoo",
        r"(?:cf|tf)_inceptionv1(?:_imagenet_224_224_3(?:\.16)?G|_3\.5)",
        "googlenet",
        "close",
    ),
    _rule("*", r"inception[ _]?v1(?:_quant|_224_quant_edgetpu\.tflite)?", "googlenet", "close"),
    # Paddle.
    _rule("paddleclas-docs", r"AlexNet", "alexnet", "close"),
    _rule("paddleclas-docs", r"ShuffleNetV2", "shufflenet_v2_x1_0", "close"),
    _rule("paddleclas-docs", r"ShuffleNetV2_x(0_5|1_5|2_0)", "shufflenet_v2_x{0}", "close"),
    _rule("paddleclas-docs", r"MobileNetV1_x(\d_\d+)", "mobilenetv1_100:width={0}", "exact"),
    _rule("paddleclas-docs", r"MobileNetV2_x(\d_\d+)", "mobilenetv2_100:width={0}", "exact"),
    _rule(
        "paddleclas-docs",
        r"MobileNetV3_(large|small)_x(\d_\d+)",
        "mobilenetv3_{0}_100:width={1}",
        "close",
    ),
    _rule("paddleclas-docs", r"PPLCNet_x(\d_\d+)", "lcnet_100:width={0}", "close"),
    # TensorFlow's width multipliers.
    _rule(
        "vitis-ai-model-zoo",
        r"tf_mobilenetv1[_-](0\.\d+)_(?:imagenet_.*|3\.5)",
        "mobilenetv1_100:width={0}",
        "exact",
    ),
    _rule(
        "*",
        rf"mobilenet[ _]v1[ _]({_W})(?:[ _]\d+)?(?:_quant)?",
        "mobilenetv1_100:width={0}",
        "exact",
    ),
    _rule("*", r"mobilenet_v1_(\dp\d+)_\d+", "mobilenetv1_100:width={0}", "exact"),
    _rule(
        "*",
        rf"mobilenet[ _]v2[ _]({_W})(?:[ _]\d+)?(?:_quant)?",
        "mobilenetv2_100:width={0}",
        "exact",
    ),
    _rule(
        "tensorflow-models",
        rf"MobileNetEdgeTPU dm({_W})",
        "mobilenet_edgetpu_100:width={0}",
        "exact",
    ),
    _rule("tf-mnasnet-readme", rf"MnasNet-A1 depth ({_W}) \d+", "semnasnet_100:width={0}", "exact"),
    _rule("tflite-hosted-models", rf"MnasNet_({_W})_\d+", "mnasnet_100:width={0}", "exact"),
    # The model zoo of ST follows imgclsmob: a025 is width 0.25; "b" drops layers between the pair.
    _rule("stm32ai-modelzoo", r"mobilenetb?_a(0\d+)_pt_\d+", "mobilenetv1_100:width={0}", "close"),
    _rule(
        "stm32ai-modelzoo", r"mobilenetv2b?_a(0\d+)_pt_\d+", "mobilenetv2_100:width={0}", "close"
    ),
)


def _applies(rule: NameRule, source: str) -> bool:
    if rule.source.endswith("*"):
        return source.startswith(rule.source[:-1])
    return rule.source == source


def _spelled_width(group: str) -> str:
    """Write ``0_25``, ``0p25``, ``025``, ``.25`` and ``0.25`` as ``0.25``."""
    if re.fullmatch(r"0\d+", group):
        group = f"0.{group[1:]}"
    return f"{float(group.replace('_', '.').replace('p', '.')):g}"


@cache
def catalog_name(source: str, model_raw: str) -> tuple[str, str] | None:
    """Return (network, match) for a name that timm lacks, or None where no rule fits."""
    for rule in _RULES:
        found = rule.pattern.fullmatch(model_raw) if _applies(rule, source) else None
        if found:
            head, _, width = rule.network.partition(":width=")
            groups = found.groups()
            if "{" not in width:
                return rule.network.format(*groups), rule.match
            return f"{head.format(*groups)}:width={_spelled_width(groups[-1])}", rule.match
    return None
