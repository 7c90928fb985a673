"""Words for people: lanes, origins, verdicts and limits spelled without jargon."""

from collections.abc import Iterable

from advisor.core.constraint import Verdict
from advisor.core.document import LaneRecord
from advisor.core.estimate import Origin
from advisor.core.quantity import Metric

_RUNTIME = {
    "coreml": "Core ML",
    "edgetpu": "the Edge TPU runtime",
    "executorch": "ExecuTorch",
    "hailort": "HailoRT",
    "litert": "LiteRT",
    "mnn": "MNN",
    "ncnn": "ncnn",
    "ncnn-vulkan": "ncnn (Vulkan)",
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
    "paddle-lite": "Paddle Lite",
    "pytorch": "PyTorch",
    "qnn": "QNN",
    "rknn": "RKNN",
    "tensorrt": "TensorRT",
    "tflite": "TensorFlow Lite",
    "tidl": "TIDL",
    "tnn": "TNN",
    "tflite-edgetpu": "TensorFlow Lite for Edge TPU",
    "torch-inductor": "compiled PyTorch",
    "vitis-ai": "Vitis AI",
    "xnnpack": "XNNPACK",
}
_PRECISION = {
    "fp32": "32-bit floating point",
    "fp16": "16-bit floating point",
    "bf16": "16-bit brain floating point",
    "amp": "mixed 16- and 32-bit floating point",
    "int8": "8-bit integers",
    "w8a16": "8-bit weights, 16-bit activations",
}

ORIGIN_MEANING = {
    Origin.MEASURED: "timed by you on the device",
    Origin.PUBLISHED: "reported by others for exactly this way of running it",
    Origin.PREDICTED: "inferred from measurements of other models or devices",
    Origin.ANALYTIC: "computed from the model and the device's data sheet",
}
VERDICT_MEANING = {
    Verdict.MET: "the limit is kept with at least the probability asked for",
    Verdict.UNCERTAIN: "the limit may be kept or broken: measure before relying on it",
    Verdict.UNKNOWN: "there is no figure to judge by, or nobody knows whether it runs",
    Verdict.VIOLATED: "the limit is broken with at least the probability asked for",
}
METRIC_MEANING = {
    Metric.LATENCY: "time for one image, or one batch, after warm-up",
    Metric.THROUGHPUT: "images a second in steady operation",
    Metric.TOP1: "share of test images whose first guess is right",
    Metric.TOP5: "share of ImageNet test images with the right answer among five guesses",
    Metric.PEAK_MEMORY: "most memory in use at one moment while it runs",
    Metric.WEIGHTS: "size of the model's learned numbers as stored",
    Metric.FLASH: "program memory of a microcontroller: weights and the code that runs them",
    Metric.ENERGY: "energy for one image",
    Metric.POWER: "average power of the whole board at its input while it runs",
    Metric.CHIP_POWER: "average power of the chip or module alone while it runs",
    Metric.PARAMETERS: "how many numbers the model learned",
    Metric.MACS: "multiplications with addition for one image",
}


_EVENT = {
    "eol_announced": "end of life announced",
    "available_until": "available until",
    "last_time_buy": "last orders",
    "last_ship": "last shipments",
    "software_end": "end of software support",
}
STATUS = {
    "active": "on sale",
    "eol_announced": "end of life announced",
    "eol": "end of life",
    "unknown": "unknown",
}
"""Whether a device can be bought."""


_IMAGES = {
    "in1k": "ImageNet-1k",
    "in12k": "ImageNet-12k",
    "in21k": "ImageNet-21k",
    "in21k-6m": "6 million images of ImageNet-21k",
    "in22k": "ImageNet-22k",
    "ig1b": "a billion Instagram images",
    "ig3.6b": "3.6 billion Instagram images",
    "image-text-pairs": "images with captions",
    "jft300m": "JFT-300M (Google's, not public)",
    "laion2b": "LAION-2B (captioned images of the web)",
    "laion-aesthetic": "LAION-Aesthetic (captioned images of the web)",
    "merged30m": "30 million images of several data sets",
    "merged38m": "38 million images of several data sets",
    "webli": "WebLI (captioned images of the web)",
    "wit400m": "400 million captioned images of the web",
    "yfcc100m": "YFCC100M (Flickr images)",
}
OPERATOR = {
    "operator_starts": "starting each operator",
    "weight_reads": "reading weights",
    "movement": "moving data",
    "stem": "first convolution",
    "dense": "full convolution",
    "pointwise": "1×1 convolution",
    "depthwise": "depthwise convolution",
    "grouped": "grouped convolution",
    "fully_connected": "fully connected",
}
"""Kinds of operation in words, where their names are jargon."""


def training_words(data: str) -> str:
    """Spell what a network was trained on: ``in22k->in1k`` as ImageNet-22k, then ImageNet-1k."""
    return ", then ".join(_IMAGES.get(part, part) for part in data.split("->"))


def operator_words(name: str) -> str:
    """Spell a kind of operation for people."""
    return OPERATOR.get(name.replace(" ", "_"), name.replace("_", " "))


def event_words(event: str, day: str, item: str = "") -> str:
    """Spell a dated fact of supply: ``available until 2027-01 (module)``."""
    return f"{_EVENT.get(event, event)} {day}{f' ({item})' if item else ''}"


def runtime_name(runtime: str) -> str:
    """Spell a runtime as its makers do."""
    return _RUNTIME.get(runtime, runtime)


def precision_name(precision: str) -> str:
    """Spell a precision with its meaning: ``fp16 (16-bit floating point)``."""
    meaning = _PRECISION.get(precision)
    return f"{precision} ({meaning})" if meaning else precision


def batch_words(batch: int) -> str:
    """Say how many images are processed at once."""
    if batch == 0:
        return "many images at once"
    return "one image at a time" if batch == 1 else f"{batch} images at a time"


def lane_words(lane: LaneRecord) -> str:
    """Say how the networks run: ``TensorRT on the GPU, fp16 (…), one image at a time``."""
    parts = [f"{runtime_name(lane.runtime)} on the {lane.unit.upper()}"]
    parts += [precision_name(lane.precision), batch_words(lane.batch)]
    if lane.threads is not None:
        parts.append(f"{lane.threads} thread{'s' if lane.threads != 1 else ''}")
    return ", ".join([*parts, *([lane.variant] if lane.variant else [])])


def percent(share: float) -> str:
    """Write a share as a percentage without needless decimals: ``90 %``, ``2.5 %``."""
    return f"{100 * share:.3g} %"


def joined(words: Iterable[str], last: str = "and") -> str:
    """Join words as a sentence does: ``a, b and c``."""
    items = list(words)
    head, tail = items[:-1], "".join(items[-1:])
    return f"{', '.join(head)} {last} {tail}" if head else tail


def plural(count: int, noun: str) -> str:
    """Write a count with its noun: ``1 model``, ``1,204 models``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
