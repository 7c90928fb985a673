"""Write and read the fitted process: ``variant_accuracy.json`` and ``variant_accuracy.npz``."""

import json
from pathlib import Path

import numpy as np

from advisor.errors import CatalogError
from advisor.estimators.accuracy.features import Rows
from advisor.estimators.accuracy.model import VariantAccuracy, as_mapping, as_values

VERSION = 2
_JSON, _ARRAYS = "variant_accuracy.json", "variant_accuracy.npz"


def write(model: VariantAccuracy, root: Path) -> None:
    """Write the hyper-parameters as JSON, the published points as arrays."""
    folds = {way: [as_mapping(v) for v in found] for way, found in model.folds.items()}
    document = {
        "version": VERSION,
        "values": as_mapping(model.values),
        "stretch": dict(model.stretch),
        "folds": folds,
    }
    (root / _JSON).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    np.savez_compressed(
        root / _ARRAYS,
        sizes=model.rows.sizes.astype(np.float32),
        flags=model.rows.flags.astype(np.float32),
        family=model.rows.family,
        recipe=model.rows.recipe,
        network=model.rows.network,
        group=model.rows.group,
        top1=model.top1,
        source=model.source,
    )


def load(root: Path) -> VariantAccuracy:
    """Read the fitted process of a catalog; raises CatalogError where it cannot be read."""
    try:
        document = json.loads((root / _JSON).read_text(encoding="utf-8"))
        with np.load(root / _ARRAYS, allow_pickle=False) as arrays:
            columns = {name: arrays[name] for name in arrays.files}
        if document["version"] != VERSION:
            raise ValueError(f"it has version {document['version']}, not {VERSION}")
        values = as_values(document["values"])
        stretch = {str(name): float(by) for name, by in document["stretch"].items()}
        folds = {
            way: np.array([as_values(own) for own in found])
            for way, found in document["folds"].items()
        }
    except (OSError, KeyError, ValueError) as error:
        raise CatalogError(
            f"cannot read {root / _JSON}: {error}; "
            "'python -m advisor.estimators.accuracy CATALOG' writes it again"
        ) from error
    return VariantAccuracy(
        stretch=stretch,
        rows=Rows(
            columns["sizes"].astype(np.float64),
            columns["flags"].astype(np.float64),
            columns["family"],
            columns["recipe"],
            columns["network"],
            columns["group"],
        ),
        top1=columns["top1"],
        source=columns["source"],
        values=values,
        folds=folds,
    )
