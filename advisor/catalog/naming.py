"""Rules from a source's name of a network to the catalog's, where timm has no such network.

A rule names the source (``*`` for any), a pattern of the whole name, the catalog's spelling and
how sure the match is. The first rule that fits wins; no rule means that the row keeps only the
source's own name.
"""

import re
from functools import cache
from re import Pattern

from advisor.core.frozen_record import Record


class NameRule(Record):
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
    # Benchmarks of several networks each.
    _rule(
        "mlperf-inference",
        rf"mobilenet-v([12])-(?:precision_\w+-)?({_W})-\d+(?:-(?:non-)?quantized)?",
        "mobilenetv{0}_100:width={1}",
        "exact",
    ),
    _rule("mlperf-tiny", r"ResNet-8 CIFAR-10.*", "cifar_resnet8", "exact"),
    _rule("mlperf-tiny", r"MobileNetV1 (0\.25)x 96x96.*", "mobilenetv1_100:width={0}", "close"),
    _rule("tengine-benchmark", r"squeezenet_v1\.1", "squeezenet1_1", "exact"),
    _rule("tengine-benchmark", r"shufflenetv2", "shufflenet_v2_x1_0", "close"),
    _rule("bolt-benchmark", r"squeezenet", "squeezenet1_1", "close"),
    _rule("ascend-*", r"(alexnet)", "{0}", "close"),
    _rule("ascend-*", r"ShuffleNetV2", "shufflenet_v2_x1_0", "close"),
    _rule("mmdeploy-benchmark", r"ShuffleNetV2 .*-1x_.*", "shufflenet_v2_x1_0", "exact"),
    _rule("ispco-*", r"mnasnet_a1", "semnasnet_100", "close"),
    _rule("paddlex-*", r"MobileNetV([12])_x(\d_\d+)", "mobilenetv{0}_100:width={1}", "exact"),
    _rule(
        "paddlex-*",
        r"MobileNetV3_(large|small)_x(\d_\d+)",
        "mobilenetv3_{0}_100:width={1}",
        "close",
    ),
    _rule("paddlex-*", r"PP-LCNet_x(\d_\d+)", "lcnet_100:width={0}", "close"),
    # Plain names that only one network has, whoever writes them.
    _rule("*", r"squeezenet ?v?1[._]?([01])(?:-\d)?", "squeezenet1_{0}", "exact"),
    _rule("*", r"googlenet|inception-?v1", "googlenet", "close"),
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


_SERIES = (
    # (family, variant) of a multiplier table -> networks that timm lacks.
    (r"ShuffleNetV2", r"(?:ShuffleNetV2 x?)?(0\.5|1\.0|1\.5|2\.0)", "shufflenet_v2_x{0}"),
    (r"ShuffleNetV2", r"ShuffleNetV2_x(0_5|1_5|2_0)", "shufflenet_v2_x{0}"),
    (r"ShuffleNetV2", r"shufflenet_v2_x(\d_\d) IMAGENET1K_V1", "shufflenet_v2_x{0}"),
    (r"ShuffleNetV2", r"shufflenet-v2-1x_.*|ShuffleNetV2", "shufflenet_v2_x1_0"),
    (r"ShuffleNetV1", r"shufflenet-v1-1x_.*", "shufflenet_v1_g3"),
    (r"ShuffleNetV1 \(group=3\)", r"1\.0 \(group=3\)", "shufflenet_v1_g3"),
    (r"ShuffleNet \(g=3\)", r"ShuffleNet x1\.0 \(g=3\)", "shufflenet_v1_g3"),
    (r"SqueezeNet", r"SqueezeNet v?(1[._][01])", "squeezenet{0}"),
    (r"SqueezeNet", r"SqueezeNet(1_[01])", "squeezenet{0}"),
    (r"SqueezeNet", r"squeezenet(1_[01]) IMAGENET1K_V1", "squeezenet{0}"),
    (r"alexnet", r"alexnet IMAGENET1K_V1", "alexnet"),
    (r"googlenet", r"googlenet IMAGENET1K_V1", "googlenet"),
    (r"ProxylessNAS", r"ProxylessNAS Mobile", "proxylessnas_mobile"),
)


def series_name(family: str, variant: str) -> str:
    """Return the catalog's name of a multiplier table's network that timm lacks, else empty."""
    for family_pattern, pattern, network in _SERIES:
        found = re.fullmatch(pattern, variant)
        if found and re.fullmatch(family_pattern, family):
            return network.format(*(group.replace(".", "_") for group in found.groups()))
    return ""


_PLAIN = (
    # Names as papers and tool vendors write them, without spaces and punctuation.
    (r"mobilenetv?1(?:224)?", "mobilenetv1_100"),
    (r"mobilenetv1(0\.\d+)\d{3}", "mobilenetv1_100:width={0}"),
    (r"mobilenetv1(?:1\.0)\d{3}", "mobilenetv1_100"),
    (r"mobilenetv2(?:224|12|tf2|x10|1\.0\d*)?", "mobilenetv2_100"),
    (r"mobilenetv21\.4", "mobilenetv2_140"),
    (r"mobilenetv3(?:large)?(?:mlperf|1\.0)?", "mobilenetv3_large_100"),
    (r"mobilenetv3small(?:1\.0)?", "mobilenetv3_small_100"),
    (r"resnet(?:v1)?(18|34|50|101|152)(?:v1|v1\.5|tf2|v1\.512)?", "resnet{0}"),
    (r"resnetv1\.5mlperf|resnet50mlperf", "resnet50"),
    (r"resnetv2(50|101)|resnet(50|101)v2", "resnetv2_{0}"),
    (r"resnext(50)(?:32x4d)?", "resnext50_32x4d"),
    (r"resnext(101)(?:32x8d)?", "resnext101_32x8d"),
    (r"inceptionv([34])", "inception_v{0}"),
    (r"inceptionresnetv2", "inception_resnet_v2"),
    (r"inceptionv1|googlenet(?:12)?", "googlenet"),
    (r"densenet(121|161|169|201)", "densenet{0}"),
    (r"vgg(16|19)", "vgg{0}"),
    (r"efficientnet(b\d)", "efficientnet_{0}"),
    (r"efficientnetlite(\d)", "tf_efficientnet_lite{0}"),
    (r"efficientnetedgetpu([sml])", "tf_efficientnet_e{0}"),
    (r"alexnet", "alexnet"),
    (r"shufflenetv2(?:x)?(0\.5|1\.0|1\.5|2\.0)", "shufflenet_v2_x{0}"),
)


@cache
def plain_name(text: str) -> str:
    """Return the network that a name in plain writing means, else empty."""
    sized = re.sub(r"\((large|small)\)", r"\1", text.lower())
    bare = re.sub(r"\([^)]*\)|quantized|[^a-z0-9.]", "", sized)
    for pattern, network in _PLAIN:
        found = re.fullmatch(pattern, bare)
        if found:
            groups = [group for group in found.groups() if group]
            if ":width=" not in network:
                groups = [group.replace(".", "_") for group in groups]
                return network.format(*groups)
            return network.format(*(f"{float(group):g}" for group in groups))
    return ""
