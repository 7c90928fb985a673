"""Starting variances: round numbers from which the tuning sets out."""

from advisor.estimators.covariance import Variances

_LEVELS: dict[str, tuple[float, tuple[str, ...]]] = {
    "common": (
        0.1,
        (
            *("device", "runtime_variant", "lane", "threads", "device_threads"),
            *("peak", "bandwidth", "clock", "chip", "unit"),
        ),
    ),
    "kind": (
        0.03,
        (
            *("runtime", "runtime_precision", "runtime_variant", "device", "lane"),
            *("threads", "device_threads", "peak", "chip"),
        ),
    ),
    "operator": (0.01, ("runtime_precision", "device", "device_precision", "lane")),
    "column": (
        0.02,
        (
            *("unit", "precision", "runtime", "runtime_precision"),
            *("device", "device_precision", "lane", "chip"),
        ),
    ),
    "trend": (0.002, ("runtime_precision", "device", "lane")),
    "feature": (
        0.004,
        (
            *("unit", "precision", "runtime_precision"),
            *("device", "device_precision", "lane", "chip"),
        ),
    ),
    "family": (0.004, ("unit", "runtime_precision", "device", "lane")),
}
_LONG = ("unit", "runtime", "runtime_precision", "device", "lane")
STARTING_LONG = Variances(
    by_relation={
        level: dict.fromkeys(_LONG if level in ("feature", "family") else (), 0.003)
        for level in _LEVELS
    },
    exact=0.002,
    close=0.002,
)
"""… for very long lanes, whose unit costs and layers leave only what networks have in common."""
STARTING = Variances(
    by_relation={
        level: dict.fromkeys(relations, variance)
        for level, (variance, relations) in _LEVELS.items()
    },
    exact=0.002,
    close=0.002,
)
