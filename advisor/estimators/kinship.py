"""Kinship: which networks count as one architecture, and which as one family.

Leaving a network out is honest only when its relatives go with it, so what is left out together is
wide: the same layers at another resolution, under another name (``tf_efficientnet_b0``) or with
other activations are one architecture. What a measurement says of another network is narrow: only
networks of the same work are twins, only the same first word is the same family.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from advisor.core.workload_table import WorkloadTable

TWINS = 0.003
"""Relative difference in MACs and in parameters below which two networks may be twins."""
ALIKE = 0.05
"""Distance of features below which they are: what one measures says the other's time."""
_PREFIX = re.compile(r"^(?:tf|tv|gluon|legacy|ssl|swsl|ig|test|dm|nf|gc|eca|se|sk|wide)_")
_WORD = re.compile(r"[a-z]+")
_RELATIVES = {
    "vit": "deit beit beitv eva naflexvit samvit",
    "resnet": "resnetv seresnet ecaresnet resnext seresnext seresnextaa resnetaa resnetblur"
    " resnetrs skresnet skresnext",
    "efficientnet": "efficientnetv",
    "mobilenet": "mobilenetv mnasnet semnasnet mobilenetedgetpu spnasnet proxylessnas fbnetc",
    "convnext": "convnextv",
    "regnet": "regnetx regnety regnetv",
    "swin": "swinv",
    "rexnet": "rexnetr",
    "ghostnet": "ghostnetv",
    "poolformer": "poolformerv",
    "nfnet": "eca_nfnet",
}
_FAMILY = {word: head for head, words in _RELATIVES.items() for word in words.split()}


def family_of(network: str) -> str:
    """Return the family of a network: the first word of its name, relatives merged."""
    name = network.partition(":")[0].lower()
    stripped = _PREFIX.sub("", name) or name
    found = _WORD.match(stripped)
    word = found[0] if found else stripped
    return _FAMILY.get(word, word)


def strict_family_of(network: str) -> str:
    """Return the first word of a network's name, which relatives do not share."""
    name = network.partition(":")[0].lower()
    found = _WORD.match(name)
    return found[0] if found else name


def twins_of(table: WorkloadTable, features: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the row number of each row's first twin: the same work under another name."""
    found = np.arange(len(table))
    for same in _grouped(table.resolutions.tolist()):
        for a, b in _twins(table, same):
            if ((features[a] - features[b]) ** 2).sum() < ALIKE**2:
                first, second = sorted((found[a], found[b]))
                found[found == second] = first
    return found


def architectures_of(table: WorkloadTable) -> NDArray[np.int64]:
    """Return the architecture of each row as the row number of its first member.

    Wider than ``twins_of``: all that is left out together.
    """
    parent = list(range(len(table)))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    def join(a: int, b: int) -> None:
        first, second = sorted((root(a), root(b)))
        parent[second] = first

    for same in _grouped(table.networks):
        for row in same[1:]:
            join(same[0], row)
    for same in _grouped(table.resolutions.tolist()):
        for a, b in _twins(table, same):
            join(a, b)
    return np.array([root(row) for row in range(len(table))], np.int64)


def _grouped(values: Iterable[object]) -> list[list[int]]:
    rows: dict[object, list[int]] = defaultdict(list)
    for row, value in enumerate(values):
        rows[value].append(row)
    return list(rows.values())


def _twins(table: WorkloadTable, rows: list[int]) -> Iterable[tuple[int, int]]:
    """Yield pairs of rows, of one resolution, that agree in MACs and parameters."""
    ordered = sorted(rows, key=lambda row: float(table.macs[row]))
    for position, a in enumerate(ordered):
        for b in ordered[position + 1 :]:
            if table.macs[b] > table.macs[a] * (1 + TWINS):
                break
            if abs(table.parameters[b] / max(table.parameters[a], 1) - 1) < TWINS:
                yield a, b


def numbered(families: Sequence[str]) -> NDArray[np.int64]:
    """Number the families: equal numbers where the names are equal."""
    number = {name: position for position, name in enumerate(sorted(set(families)))}
    return np.array([number[name] for name in families], np.int64)
