"""Import raw accuracies: trained weights, CIFAR, multiplier series, and changes by precision."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from advisor.catalog.accuracy_columns import (
    ACCURACY_COLUMNS,
    CHANGE_COLUMNS,
    CIFAR_COLUMNS,
    CLAIM_COLUMNS,
    COMPRESSION_COLUMNS,
    MULTIPLIER_COLUMNS,
)
from advisor.catalog.family_names import family_of
from advisor.catalog.intake.importing import read_raw
from advisor.catalog.naming import plain_name, series_name
from advisor.catalog.tables import write_table
from advisor.core.candidate import Candidate
from advisor.core.extras import require

_DATA_SETS = {
    # Pieces of a tag -> data that the weights have seen, in the order of the tag.
    "in1k": "in1k",
    "in12k": "in12k",
    "in21k": "in21k",
    "in22k": "in22k",
    "jft": "jft300m",
    "laion2b": "laion2b",
    "laiona": "laion-aesthetic",
    "openai": "wit400m",
    "webli": "webli",
    "swag": "ig3.6b",
    "ig1b": "ig1b",
    "yfcc100m": "yfcc100m",
    "m38m": "merged38m",
    "m30m": "merged30m",
    "seer": "ig1b",
    "6m": "in21k-6m",
}
_PUBLISHER_DATA = {"clip": "image-text-pairs"}
"""What a piece means where the tag names no other pretraining data."""
_DISTILLED = re.compile(r"(?:^|[_.])(?:dist|distilled|ssld|teacher_student|kd)(?:_|$)")
_MIXED_WEIGHTS = re.compile(r"prun|spars|binar|w4|int4|4bit|fp16|distill", re.IGNORECASE)
_PRECISIONS = (
    (re.compile(r"w8a16_mixed_int16"), "w8a16_mixed_int16"),
    (re.compile(r"w8a8_mixed_int16"), "w8a8_mixed_int16"),
    (re.compile(r"w8a16", re.IGNORECASE), "w8a16"),
    (re.compile(r"int8|w8a8|8-bit", re.IGNORECASE), "int8"),
)
_VERDICTS = (
    ("right-with-limits", re.compile(r"right .*(?:only|not the paper)|not the original")),
    ("right", re.compile(r"right")),
    ("wrong", re.compile(r"wrong")),
    ("unverifiable", re.compile(r"unverifiable")),
)
_SOURCE_IDS = {"nncf": "nncf-model-zoo", "models": "tensorflow-models"}
"""Repositories that the table of quantisation knows by another id."""
_FIRST_FACT = re.compile(r";(?![^()]*\))|(?<!al)\. (?=[A-Z])")
"""Between facts, outside parentheses."""
License = Callable[[str], str]


def timm_license(name: str) -> str:
    """Return the licence that timm states for a weight, empty where it states none."""
    require("reading the licences of weights", "timm")
    import timm

    config = timm.get_pretrained_cfg(name, allow_unregistered=True)
    stated = str(getattr(config, "license", None) or "")
    return "" if stated == "unknown" else stated


def training_data(tag: str) -> str:
    """Return the chain of data sets that a timm tag names, such as ``in22k->in1k``."""
    pieces = tag.split("_")
    chain = [_DATA_SETS[piece] for piece in pieces if piece in _DATA_SETS]
    if set(chain) <= {"in1k"}:
        chain = [_PUBLISHER_DATA[p] for p in pieces if p in _PUBLISHER_DATA] + chain
    # A data set named twice in a row is one stage each of the same data.
    steps = [name for i, name in enumerate(chain) if i == 0 or chain[i - 1] != name]
    return "->".join(steps if steps and steps[-1] == "in1k" else [*steps, "in1k"])


def distilled(network: str, tag: str) -> bool:
    """Tell whether the name or the tag says that a teacher network was used."""
    return _DISTILLED.search(f"{network}.{tag}") is not None


def import_accuracies(raw_dir: Path, out: Path, license_of: License = timm_license) -> None:
    """Write accuracy, CIFAR, multiplier, change, compression and claim tables."""
    folder = raw_dir / "accuracy"
    series = list(_series(read_raw(folder / "multipliers.csv")))
    weights = [_weights(raw, license_of) for raw in read_raw(folder / "timm_results.csv")]
    write_table(out / "accuracy.csv", ACCURACY_COLUMNS, [*weights, *_own_weights(series)])
    write_table(out / "multipliers.csv", MULTIPLIER_COLUMNS, series)
    cifar = map(_cifar, read_raw(folder / "cifar10.csv"))
    write_table(out / "cifar.csv", CIFAR_COLUMNS, cifar)
    compression = [_compression(raw) for raw in read_raw(folder / "compression.csv")]
    write_table(out / "compression.csv", COMPRESSION_COLUMNS, compression)
    changes = _changes(read_raw(folder / "quantisation.csv"), compression)
    write_table(out / "precision_changes.csv", CHANGE_COLUMNS, changes)
    claims = _claims(read_raw(folder / "claims_checked.csv"))
    write_table(out / "claims.csv", CLAIM_COLUMNS, claims)


def _weights(raw: dict[str, str], license_of: License) -> dict[str, str]:
    network, _, tag = raw["model"].partition(".")
    sets = ("real", "v2", "a", "r", "sketch")
    return {
        "network": network,
        "tag": tag,
        "resolution": raw["img_size"],
        "top1_percent": raw["imagenet_top1"],
        "top5_percent": raw["imagenet_top5"],
        **{f"{s}_top{k}_percent": raw[f"{s}_top{k}"] for s in sets for k in (1, 5)},
        "parameters_m": raw["param_count"],
        "training_data": training_data(tag),
        "distilled": "yes" if distilled(network, tag) else "no",
        "license": license_of(raw["model"]),
        "source": "timm-results",
        "source_ref": raw["source_ref"],
    }


def network_of_build(build: str) -> str:
    """Return the candidate's spelling of an expression that builds a network with timm.

    Empty where it has arguments that no axis stands for.
    """
    stock = re.fullmatch(r"timm\.create_model\('([^']+)'\)", build)
    if stock:
        return stock[1]
    found = re.fullmatch(r"timm\.models\.\w+\._gen_\w+\('([^']+)', (.*)\)", build)
    if not found:
        return ""
    axes = {"channel_multiplier": "width", "depth_multiplier": "depth"}
    named = dict(item.split("=") for item in found[2].split(", "))
    if not set(named) <= set(axes):
        return ""
    values = [(axes[name], float(value)) for name, value in named.items() if float(value) != 1]
    return Candidate(architecture=found[1], axes=tuple(sorted(values))).network


def _series(raws: Iterable[dict[str, str]]) -> Iterator[dict[str, str]]:
    for raw in raws:
        own = series_name(raw["family"], raw["variant"])
        yield {
            "recipe_id": raw["recipe_id"],
            "family": raw["family"],
            "variant": raw["variant"],
            "network": network_of_build(raw["timm_build"]) or own,
            "resolution": raw["resolution"],
            "width": raw["width_mult"],
            "depth": raw["depth_mult"],
            "top1_percent": raw["top1"],
            "top5_percent": raw["top5"],
            "parameters_m": raw["params_m"],
            "macs_m": raw["macs_m"],
            "build": raw["timm_build"],
            "build_parameters_m": raw["timm_params_m"],
            "build_macs_m": raw["timm_macs_m"],
            "parameters_check": _check(raw["params_check"]),
            "source_ref": raw["source_ref"],
        }


def _check(text: str) -> str:
    word = text.partition(" ")[0]
    return word if word in {"ok", "differs"} else "unstated"


def _own_weights(series: Iterable[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Yield the accuracies of the networks that timm lacks, one per recipe and resolution."""
    for row in series:
        if series_name(row["family"], row["variant"]) and row["top1_percent"]:
            yield {
                "network": row["network"],
                "tag": re.sub(r"[^A-Za-z0-9_-]+", "_", row["recipe_id"]),
                "resolution": row["resolution"] or "224",
                "top1_percent": row["top1_percent"],
                "top5_percent": row["top5_percent"],
                "parameters_m": row["parameters_m"],
                "training_data": "in1k",
                "distilled": "no",
                "source": row["recipe_id"],
                "source_ref": row["source_ref"],
            }


def _cifar(raw: dict[str, str]) -> dict[str, str]:
    basic = re.fullmatch(r"resnet-?(20|32|44|56|110)(?: \(paper\))?", raw["model"].lower())
    slugs = ["picked-on-test"] if "picked on test" in raw["notes"] else []
    slugs += ["paper-figure"] if "(paper)" in raw["model"] else []
    return {
        "network": f"cifar_resnet{basic[1]}" if basic else "",
        "model": raw["model"].removesuffix(" (paper)"),
        "width": raw["width"],
        "parameters_m": raw["params_m"],
        "macs_m": raw["macs_m"],
        "cifar10_top1_percent": raw["cifar10_top1"],
        "cifar100_top1_percent": raw["cifar100_top1"],
        "training": raw["from_scratch_or_transfer"].partition(" ")[0],
        "epochs": raw["epochs"],
        "caveats": " ".join(slugs),
        "source_ref": raw["source_ref"],
    }


def _compression(raw: dict[str, str]) -> dict[str, str]:
    return {
        "model": raw["model"],
        "network": plain_name(raw["model"]),
        "method": raw["method"],
        "dataset": raw["dataset"],
        "top1_before_percent": raw["top1_before"],
        "top1_after_percent": raw["top1_after"],
        "delta_points": raw["delta"],
        "parameters_before_m": raw["params_before_m"],
        "parameters_after_m": raw["params_after_m"],
        "macs_before_m": raw["macs_before_m"],
        "macs_after_m": raw["macs_after_m"],
        "reduction": raw["reduction"],
        "source_ref": raw["source_ref"],
    }


def precision_of(method: str) -> str:
    """Return the precision that a method leads to; empty where it does more than round."""
    if method == "fp16":
        return "fp16"
    if _MIXED_WEIGHTS.search(method):
        return ""
    return next((name for pattern, name in _PRECISIONS if pattern.search(method)), "")


def _changes(
    quantisation: Iterable[dict[str, str]], compression: Iterable[dict[str, str]]
) -> Iterator[dict[str, str]]:
    """Yield the changes of top-1 by precision alone; what two tables repeat comes once."""
    seen = set()
    for row in [*map(_of_quantisation, quantisation), *map(_of_compression, compression)]:
        before, after = row["float_top1_percent"], row["top1_percent"]
        if not (row["precision"] and before and after):
            continue
        key = (row["source"], row["family"], row["precision"], float(before), float(after))
        if key not in seen:
            seen.add(key)
            delta = float(after) - float(before)
            collapsed = float(after) < float(before) / 2
            yield {
                **row,
                "delta_points": f"{delta:.4g}",
                "caveats": "collapsed" if collapsed else "",
            }


def _of_quantisation(raw: dict[str, str]) -> dict[str, str]:
    sample = re.search(r"(\d+)k? (?:samples|val)", raw["notes"])
    network = raw["timm_name"] or plain_name(raw["model_raw"])
    images = {"1000": "1000", "10": "10000", "50": "50000"}.get(sample[1], "") if sample else ""
    if raw["source"] == "qai-hub-models":
        images = "1000"
    return {
        "network": network,
        "family": family_of(network or raw["model_raw"]),
        "precision": precision_of(raw["method"]),
        "method": raw["method"],
        "float_top1_percent": raw["float_top1"],
        "top1_percent": raw["compressed_top1"],
        "images": images,
        "model_raw": raw["model_raw"],
        "source": raw["source"],
        "source_ref": raw["source_ref"],
    }


def _of_compression(row: dict[str, str]) -> dict[str, str]:
    method = re.sub(r"^QAT: INT8.*", "qat-int8", row["method"].partition(";")[0])
    rounded_only = row["dataset"] == "ImageNet" and ";" not in row["method"]
    kind = "qat" if "QAT" in method or method.startswith("qat") else "ptq"
    return {
        "network": row["network"],
        "family": family_of(row["network"] or row["model"]),
        "precision": precision_of(method) if rounded_only else "",
        "method": f"{kind}-int8",
        "float_top1_percent": row["top1_before_percent"],
        "top1_percent": row["top1_after_percent"],
        "model_raw": row["model"],
        "source": _repository(row["source_ref"]),
        "source_ref": row["source_ref"],
    }


def _repository(source_ref: str) -> str:
    """Return the repository's name of ``owner/repository@commit:path``, else the first word."""
    found = re.match(r"[\w.-]+/([\w.-]+)@", source_ref)
    name = found[1] if found else source_ref.partition(" ")[0].lower()
    return _SOURCE_IDS.get(name, name)


def _claims(raws: Iterable[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Yield claims with a verdict of four codes; ``same`` is resolved to the source above."""
    source = ""
    for raw in raws:
        reference = raw["source_ref"].removesuffix(" ")
        source = re.sub(r"^same\b", source, reference) if source else reference
        verdict = next(code for code, pattern in _VERDICTS if pattern.search(raw["verdict"]))
        yield {
            "claim": raw["claim"],
            "verdict": verdict,
            "official_value": _FIRST_FACT.split(raw["official_value"])[0],
            "source_ref": source,
        }
        source = source.partition("; ")[0] if reference.startswith("same;") else source
