"""Doubts that one row shows by itself: rules from its numbers, options and notes to caveats."""

import re

from advisor.catalog.intake.rows import RawRow, Rule

RATIO_NOISY = 1.5
"""Mean over minimum above which the minimum is the better figure."""
AGREEMENT = 1.1
"""Latency times throughput over batch may be off by this before it is a doubt."""
SWAPPED = 3.0
"""… and by this before one of the two is surely wrong."""


def _noted(pattern: str) -> Rule:
    """Return the rule: the notes contain the pattern."""
    compiled = re.compile(pattern)
    return lambda row: compiled.search(row.notes) is not None


def _from(*sources: str) -> Rule:
    """Return the rule: the row is of one of these publications."""
    return lambda row: row.source in sources


def _noisy_mean(row: RawRow) -> bool:
    low = row.raw["latency_min_ms"]
    return bool(low and row.latency_ms and row.latency_ms > RATIO_NOISY * float(low))


def consistency(row: RawRow) -> float | None:
    """Return latency x throughput / batch, 1 where they agree; None where one is missing."""
    if not (row.latency_ms and row.ips and row.batch):
        return None
    return row.latency_ms * row.ips / 1000 / row.batch


def _off_by(row: RawRow, factor: float) -> bool:
    if "throughput-of-streams" in row.slugs:
        return False
    ratio = consistency(row)
    return ratio is not None and max(ratio, 1 / ratio) > factor


def _whole_frame(row: RawRow) -> bool:
    return row.source == "pytorch-rpi-tutorial" and _off_by(row, 1.02)


def _no_arithmetic(row: RawRow) -> bool:
    """fp16 on cores of before Armv8.2, which can store halves but not compute with them."""
    old = re.search(r"A53|A57|A72|A73|A7\b|ARM1176", row.raw["chip"])
    return row.raw["unit"] == "cpu" and row.precision == "fp16" and old is not None


def _threads_unstated(row: RawRow) -> bool:
    return row.raw["unit"] == "cpu" and not row.raw["threads"]


def _rounded(decimals: int, below_ms: float, *sources: str) -> Rule:
    def rule(row: RawRow) -> bool:
        text = row.raw["latency_ms"]
        digits = len(text.partition(".")[2].rstrip("0"))
        return (
            row.source in sources and bool(text) and digits <= decimals and float(text) < below_ms
        )

    return rule


def _bulk(row: RawRow) -> bool:
    return row.source == "timm-benchmark" and row.raw["unit"] == "gpu"


def _swish_typing_error(row: RawRow) -> bool:
    """31.21 ms with one thread is the neighbouring line's figure; two threads take 9.06 ms."""
    return (
        row.source == "paddleclas-docs"
        and row.raw["model_raw"] == "ShuffleNetV2_swish"
        and row.raw["unit"] == "cpu"
        and row.raw["threads"] == "1"
    )


_MERGED = (
    "fastvit_",
    "ghostnetv3_",
    "lcnetv2_",
    "mobileone_",
    "repghostnet_",
    "repvgg_",
    "repvit_",
)
"""Begin the names of networks whose branches are merged for deployment."""


def _training_form(row: RawRow) -> bool:
    """Timed with the branches that training keeps apart, by harnesses that do not merge them."""
    unmerged = ("timm-benchmark", "timm-benchmark-extra", "advisor-campaign")
    return row.source in unmerged and row.network.startswith(_MERGED)


RULES: tuple[tuple[str, Rule], ...] = (
    ("training-form", _training_form),
    ("random-weights", _noted(r"random weights|random input")),
    ("date-approximate", _noted(r"date (?:of the file )?approximate")),
    ("bulk-batch", _bulk),
    ("throughput-only", lambda row: row.latency_ms is None),
    ("end-to-end", _from("vitis-ai-model-zoo")),
    (
        "includes-copies",
        lambda row: (
            _noted(r"includes copies")(row) or "data transfer included" in row.raw["runtime_opts"]
        ),
    ),
    ("compute-only", _noted(r"computation time only|no pre/post|Model Time")),
    ("latency-from-fps", _noted(r"latency = 1000/FPS")),
    (
        "accuracy-of-float-model",
        _noted(r"accuracy is of the float|float accuracy|accuracy of the float"),
    ),
    (
        "accuracy-on-a-sample",
        _noted(r"imagenet(?:_\w+)? val samples|quick sanity|on 10k val|page's own evaluation"),
    ),
    ("threads-unstated", _threads_unstated),
    ("power-mode-unstated", _noted(r"power mode")),
    ("software-unstated", _noted(r"TensorRT version")),
    ("single-job", _from("qai-hub-models")),
    ("copied-by-hand", lambda row: row.source.startswith(("tflite-hosted", "coral-", "stm32"))),
    (
        "input-assumed",
        _noted(r"input(?: size)?s?(?: \d+)? (?:not stated|assumed)|input sizes assumed"),
    ),
    ("large-head", _noted(r"1001/1000-class")),
    (
        "sparse-weights",
        lambda row: "sparse" in row.raw["runtime_opts"] or "(sparse)" in row.raw["model_raw"],
    ),
    ("memory-is-total-ram", _noted(r"memory_mb = ")),
    ("unmatched", lambda row: not row.network),
    ("close-match", lambda row: row.match == "close"),
    ("small-head", _noted(r"3-class head")),
    (
        "precision-inferred",
        _noted(
            r"precision (?:\w+ )?(?:not stated|inferred|of float NNAPI|from device flags)"
            r"|[Pp]recision not stated|int8 (?:is inferred|assumed|is the script default)"
            r"|precision (?:assumed|and)|float/runtime are assumed|fp16 \(inferred\)|fp32 assumed"
        ),
    ),
    ("precision-mislabelled", _noted(r"value looks like")),
    (
        "fp16-weights-only",
        lambda row: _noted(r"fp16 means fp16 weights")(row) or _no_arithmetic(row),
    ),
    ("fp16-use-doubtful", _noted(r"RISC-V: fp16 use doubtful")),
    ("noisy-mean", _noisy_mean),
    (
        "whole-milliseconds",
        _rounded(
            0,
            20,
            "xnnpack-readme",
            "tflite-benchmarks",
            "tensorflow-models",
            "tf-slim-mobilenet",
            "coral-benchmarks",
            "tf-mnasnet-readme",
        ),
    ),
    (
        "rounded-to-tenths",
        _rounded(1, 2, "efficientformer-readme", "repvit-readme", "starnet-readme", "starnet"),
    ),
    (
        "vulkan-run-on-cpu",
        _noted(r"ran on the CPU|runs int8 layers on the CPU|listed in a Vulkan run"),
    ),
    ("unit-assumed", _noted(r"compute unit|unit npu nominal|unit is GPU")),
    (
        "device-assumed",
        _noted(r"SoC (?:name from|is an assumption)|labels the board only|device names from"),
    ),
    ("proxy-device", lambda row: "proxy" in row.raw["chip"].lower() + row.raw["device"].lower()),
    ("cpu-fallback", _noted(r"mostly CPU fallback")),
    ("partly-on-cpu", _noted(r"layers split")),
    ("batch-unstated", lambda row: row.batch is None),
    ("throughput-of-whole-frame", _whole_frame),
    ("throughput-disagrees", lambda row: _off_by(row, AGREEMENT) and not _whole_frame(row)),
    ("swapped-columns", lambda row: _off_by(row, SWAPPED) and not _whole_frame(row)),
    ("older-run", _noted(r"older run")),
    ("reference-kernels", _noted(r"reference kernels")),
    ("odd-placement", _noted(r"table cell says \d+x\d+")),
    ("misaligned-table", _noted(r"misaligned")),
    ("not-a-classifier", lambda row: row.raw["model_raw"].startswith("ssd_")),
    ("typing-error", _swish_typing_error),
    ("incomplete", lambda row: not row.raw["input_h"] or row.precision == "unknown"),
)
"""Rules in the order in which they are tried; each adds its slug."""


def screen(row: RawRow) -> None:
    """Add the slugs of every rule that applies to the row."""
    for slug, rule in RULES:
        if rule(row):
            row.slugs.add(slug)
