"""Listings: the devices and networks that are known."""

from typing import Literal

from advisor.answering.evidence import Evidence, matches
from advisor.core.filed import Document
from advisor.hardware.library import ProfileLibrary


class DeviceEntry(Document):
    """One device of a list."""

    id: str
    aliases: tuple[str, ...]
    name: str
    vendor: str
    default_lane: str


class DeviceList(Document):
    """Devices, sorted by id."""

    schema_version: Literal[1] = 1
    devices: tuple[DeviceEntry, ...]


class ModelEntry(Document):
    """Trained weights of a network."""

    model: str
    resolution: int
    top1: float
    """A fraction."""
    macs: float
    """Multiply-accumulates of one image."""
    parameters: int
    training_data: str
    license: str
    source: str


class ModelList(Document):
    """Trained weights, the most accurate first."""

    schema_version: Literal[1] = 1
    models: tuple[ModelEntry, ...]


def device_list(library: ProfileLibrary, pattern: str = "") -> DeviceList:
    """List the devices whose id, name or vendor contains ``pattern``."""
    wanted = pattern.lower()
    return DeviceList(
        devices=tuple(
            DeviceEntry(
                id=one.id,
                aliases=one.aliases,
                name=one.name,
                vendor=one.vendor,
                default_lane=one.default_lane,
            )
            for one in library.entries.values()
            if wanted in f"{one.id} {one.name} {one.vendor}".lower()
        )
    )


def model_list(evidence: Evidence, pattern: str = "*") -> ModelList:
    """List the trained weights whose name fits a wildcard and whose workload is known."""
    found = []
    for weights in evidence.weights:
        row = evidence.table.index.get((weights.network, weights.resolution))
        if row is None or not matches(weights.network, weights.tag, pattern):
            continue
        found.append(
            ModelEntry(
                model=f"{weights.network}.{weights.tag}" if weights.tag else weights.network,
                resolution=weights.resolution,
                top1=weights.top1,
                macs=float(evidence.table.macs[row]),
                parameters=int(evidence.table.parameters[row]),
                training_data=weights.training_data,
                license=weights.license,
                source=weights.source_ref,
            )
        )
    return ModelList(models=tuple(found))
