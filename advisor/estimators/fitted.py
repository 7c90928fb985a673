"""Fitted: the estimator's parameters as plain arrays, read from and written to the catalog.

``estimator.npz`` holds the arrays, ``estimator.json`` names, facts, hyper-parameters, the
calibration, a version and the hash of the catalog files that went in; ``estimator.long`` the same
of the very long lanes, which are fitted by themselves and layer by layer.
"""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.core.frozen_record import Record
from advisor.core.lane import Lane
from advisor.errors import CatalogError
from advisor.estimators.calibration import Calibration
from advisor.estimators.columns import COLUMNS
from advisor.estimators.covariance import LINEAR, Variances, publication_weights
from advisor.estimators.kinship import numbered, strict_family_of
from advisor.estimators.lane_relations import LaneScale, LaneSet, lane_document, lanes_from
from advisor.estimators.layer_costs import Corrections, LayerCosts, Perceptron
from advisor.estimators.unit_costs import UnitCosts

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ALL, LONG = "estimator", "estimator.long"
"""Names of the files of the fit to all lanes, and of that to the very long ones alone."""
LONG_LANE = 300
"""Cells above which a lane is very long: enough to be fitted layer by layer."""
_LANES, _LAYERS = "lanes_", "layers_"
VERSION = 2
_REFIT = "'advisor catalog fit' writes it again"


class Fitted(Record):
    """Everything that a prediction needs."""

    version: str
    date: str
    """Year and month of the newest figure that went in."""
    inputs: str
    """Hash of the catalog files that went in."""
    lanes: LaneSet
    scale: LaneScale
    costs: UnitCosts
    variances: Variances
    calibration: Calibration
    networks: tuple[tuple[str, int], ...]
    """(network, resolution) of each row of the arrays by network."""
    families: tuple[str, ...]
    architecture: Integers
    """What is left out with each row: its relatives and all their resolutions."""
    twin: Integers
    """First row of the same work."""
    measured: NDArray[np.bool_]
    """Whether each row was measured in any lane, also where its cells were not needed."""
    parameters: Integers
    log_work: Floats
    """(networks, columns): log of the amounts of work."""
    features: Floats
    """(networks, features)."""
    cell_lane: Integers
    """Lane of each cell, ascending."""
    cell_network: Integers
    cell_publication: Integers
    """Publication of each cell, as a position in ``publications``."""
    publications: tuple[str, ...]
    cell_weight: Floats
    """Weight of each cell in every mean: inverse covariance times surprise."""
    cell_noise: Floats
    """Variance of the noise of each cell."""
    lane_costs: Floats
    """(lanes, columns): log seconds per unit of work."""
    lane_weights: Mapping[str, Floats]
    """Level -> (lanes, parts): sum over each lane's cells of weight times basis."""
    lane_networks: Integers
    """Architectures measured in each lane."""
    long_lanes: NDArray[np.bool_]
    """Lanes that hold enough cells to be fitted layer by layer."""
    is_of_long: bool = False
    """Whether this is the fit to very long lanes alone."""
    corrections: Corrections | None = None
    """What layers add in those of them that run layer after layer."""

    @cached_property
    def network_index(self) -> dict[tuple[str, int], int]:
        """Row of each (network, resolution)."""
        return {key: row for row, key in enumerate(self.networks)}

    @cached_property
    def by_name(self) -> dict[str, int]:
        """A row of each network, whatever the resolution."""
        return {name: row for row, (name, _) in enumerate(self.networks)}

    @cached_property
    def family_number(self) -> dict[str, int]:
        """Number of each family."""
        return dict(zip(self.families, self.family_numbers.tolist(), strict=True))

    @cached_property
    def family_numbers(self) -> Integers:
        """Number of each network's family."""
        return numbered(self.families)

    @cached_property
    def twins_measured(self) -> NDArray[np.bool_]:
        """Whether the network, or a twin of it, was measured at its resolution anywhere."""
        return np.isin(self.twin, self.twin[self.measured])

    @cached_property
    def families_measured(self) -> frozenset[str]:
        """First words of the names of which any network was measured."""
        rows = np.flatnonzero(self.measured).tolist()
        return frozenset(strict_family_of(self.networks[row][0]) for row in rows)

    @cached_property
    def kinds(self) -> frozenset[str]:
        """Kinds of unit with any cell."""
        return frozenset(self.lanes.facts[lane].kind for lane in set(self.cell_lane.tolist()))

    @cached_property
    def device_units(self) -> frozenset[tuple[str, str]]:
        """(device, unit) with any cell."""
        measured = [self.lanes.facts[lane].lane for lane in sorted(set(self.cell_lane.tolist()))]
        return frozenset((lane.device, lane.unit) for lane in measured)

    def networks_in_lane(self, lane: Lane) -> int:
        """Return how many architectures were measured in a lane."""
        position = self.lanes.index.get(lane)
        return 0 if position is None else int(self.lane_networks[position])

    @cached_property
    def _bounds(self) -> Integers:
        found: Integers = np.searchsorted(self.cell_lane, np.arange(len(self.lanes) + 1))
        return found

    def publication_of(self, lane: Lane) -> int:
        """Return the publication with most figures in a lane, -1 where there are none."""
        position = self.lanes.index.get(lane)
        cells = self.cell_publication[self.cells_of_lane(position)] if position is not None else ()
        return int(np.bincount(cells).argmax()) if len(cells) else -1

    def publication_weights(self, publication: Integers) -> Floats:
        """Return the weights of the publication of each figure; -1 is of none."""
        return publication_weights(publication, len(self.publications))

    def cells_of_lane(self, lane: int) -> Integers:
        """Return the cells of a lane."""
        return np.arange(self._bounds[lane], self._bounds[lane + 1])

    def is_long(self, lane: Lane) -> bool:
        """Whether a lane holds enough cells to be fitted layer by layer."""
        position = self.lanes.index.get(lane)
        return position is not None and bool(self.long_lanes[position])


INPUTS = ("networks.csv", "layers.npz")


def hash_of_inputs(root: Path) -> str:
    """Return the hash of the catalog files that the fit reads: workloads and measurements."""
    import hashlib

    digest = hashlib.sha256()
    files = [root / name for name in INPUTS] + sorted((root / "measurements").glob("*.csv"))
    for path in files:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def write_fitted(fitted: Fitted, root: Path, name: str = ALL) -> None:
    """Write both files into the folder ``root``."""
    groups = sorted(fitted.costs.parts)
    document = {
        "version": fitted.version,
        "date": fitted.date,
        "inputs": fitted.inputs,
        "columns": [column.name for column in COLUMNS],
        "lanes": [lane_document(one) for one in fitted.lanes.facts],
        "typical": fitted.scale.typical,
        "variances": variances_document(fitted.variances),
        "calibration": {k: list(v) for k, v in sorted(fitted.calibration.quantiles.items())},
        "networks": [list(key) for key in fitted.networks],
        "families": list(fitted.families),
        "publications": list(fitted.publications),
        "groups": [list(key) for key in groups],
        "is_of_long": fitted.is_of_long,
        **_layer_document(fitted.corrections),
    }
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    (root / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    by_level = {f"{_LANES}{level}": fitted.lane_weights[level] for level in LINEAR}
    arrays: dict[str, Any] = {
        **by_level,
        "parts": np.array([fitted.costs.parts[key] for key in groups], np.float32),
        "architecture": fitted.architecture.astype(np.int32),
        "twin": fitted.twin.astype(np.int32),
        "measured": fitted.measured,
        "lane_networks": fitted.lane_networks.astype(np.int16),
        "long_lanes": fitted.long_lanes,
        "parameters": fitted.parameters,
        "log_work": fitted.log_work.astype(np.float32),
        "features": fitted.features.astype(np.float32),
        "cell_lane": fitted.cell_lane.astype(np.int16),
        "cell_network": fitted.cell_network.astype(np.int16),
        "cell_publication": fitted.cell_publication.astype(np.int16),
        "cell_weight": fitted.cell_weight,
        "cell_noise": fitted.cell_noise.astype(np.float32),
        "lane_costs": fitted.lane_costs,
        **_layer_arrays(fitted.corrections),
    }
    # Not compressed: every answer reads it, and wheels and repositories compress by themselves.
    np.savez(root / f"{name}.npz", **arrays)


def _layer_document(corrections: Corrections | None) -> dict[str, Any]:
    if corrections is None:
        return {}
    return {
        "layer_lanes": list(corrections.lanes),
        "part_of_family": dict(sorted(corrections.part_of_family.items())),
    }


def _layer_arrays(corrections: Corrections | None) -> dict[str, Any]:
    if corrections is None:
        return {}
    layers = corrections.costs
    found: dict[str, Any] = {
        f"{_LAYERS}center": layers.center,
        f"{_LAYERS}scale": layers.scale,
        "corrections": corrections.known.astype(np.float32),
    }
    for group, perceptrons in (("part", layers.parts), ("whole", layers.whole)):
        for number, one in enumerate(perceptrons):
            found[f"{_LAYERS}{group}_{number}_0_shift"] = one.shift
            for depth, (weight, bias) in enumerate(zip(one.weights, one.biases, strict=True)):
                found[f"{_LAYERS}{group}_{number}_{depth}_weight"] = weight
                found[f"{_LAYERS}{group}_{number}_{depth}_bias"] = bias
    return found


def _perceptrons(arrays: Mapping[str, NDArray[Any]], group: str) -> tuple[Perceptron, ...]:
    found: dict[int, dict[str, list[NDArray[np.float32]]]] = {}
    for key in sorted(key for key in arrays if key.startswith(f"{_LAYERS}{group}_")):
        number, _, what = key.removeprefix(f"{_LAYERS}{group}_").split("_")
        found.setdefault(int(number), {}).setdefault(what, []).append(arrays[key])
    return tuple(
        Perceptron(shift=one["shift"][0], weights=tuple(one["weight"]), biases=tuple(one["bias"]))
        for _, one in sorted(found.items())
    )


def _corrections(
    document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> Corrections | None:
    if "corrections" not in arrays:
        return None
    costs = LayerCosts(
        parts=_perceptrons(arrays, "part"),
        whole=_perceptrons(arrays, "whole"),
        center=arrays[f"{_LAYERS}center"],
        scale=arrays[f"{_LAYERS}scale"],
    )
    return Corrections(
        costs=costs,
        lanes=tuple(document["layer_lanes"]),
        known=arrays["corrections"].astype(np.float64),
        part_of_family=document["part_of_family"],
    )


def variances_document(variances: Variances) -> dict[str, Any]:
    """Write hyper-parameters as plain data."""
    levels = {level: dict(sorted(v.items())) for level, v in variances.by_relation.items()}
    return {"levels": levels, "exact": variances.exact, "close": variances.close}


def variances_from(document: Mapping[str, Any]) -> Variances:
    """Read the hyper-parameters that ``variances_document`` wrote."""
    return Variances(
        by_relation=document["levels"], exact=document["exact"], close=document["close"]
    )


def read_fitted(root: Path, name: str = ALL) -> Fitted:
    """Read the fitted estimator; raises CatalogError where a file is missing or of another kind."""
    try:
        document = json.loads((root / f"{name}.json").read_text(encoding="utf-8"))
        with np.load(root / f"{name}.npz", allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        if document["columns"] != [column.name for column in COLUMNS]:
            raise CatalogError(f"{root / name}.json is of another version; {_REFIT}")
        return _fitted(document, arrays)
    except (OSError, KeyError, ValueError) as error:
        raise CatalogError(f"cannot read the estimator in {root}: {error}; {_REFIT}") from error


def _fitted(document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Fitted:
    scale = LaneScale(typical=document["typical"])
    parts = arrays["parts"].astype(np.float64)
    groups = [(relation, name) for relation, name in document["groups"]]
    return Fitted(
        version=document["version"],
        date=document["date"],
        inputs=document["inputs"],
        lanes=lanes_from(document["lanes"]),
        scale=scale,
        costs=UnitCosts(parts=dict(zip(groups, parts, strict=True)), scale=scale),
        variances=variances_from(document["variances"]),
        calibration=Calibration(quantiles=document["calibration"]),
        networks=tuple((name, resolution) for name, resolution in document["networks"]),
        families=tuple(document["families"]),
        architecture=arrays["architecture"].astype(np.int64),
        twin=arrays["twin"].astype(np.int64),
        measured=arrays["measured"],
        lane_networks=arrays["lane_networks"].astype(np.int64),
        long_lanes=arrays["long_lanes"],
        parameters=arrays["parameters"].astype(np.int64),
        log_work=arrays["log_work"].astype(np.float64),
        features=arrays["features"].astype(np.float64),
        cell_lane=arrays["cell_lane"].astype(np.int64),
        cell_network=arrays["cell_network"].astype(np.int64),
        cell_publication=arrays["cell_publication"].astype(np.int64),
        publications=tuple(document["publications"]),
        cell_weight=arrays["cell_weight"],
        cell_noise=arrays["cell_noise"].astype(np.float64),
        lane_costs=arrays["lane_costs"],
        lane_weights={level: arrays[f"{_LANES}{level}"] for level in LINEAR},
        corrections=_corrections(document, arrays),
        is_of_long=document["is_of_long"],
    )
