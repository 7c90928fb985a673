"""Starting variances: where the tuning sets out, and what its prior holds on to.

Few relations, so that variances tuned on some chips hold on others: what lanes have in common by
runtime, chip, design and family, and the slopes along the facts of their profiles.
"""

from collections.abc import Mapping

from advisor.estimators.covariance import Variances

_LEVELS: Mapping[str, Mapping[str, float]] = {
    "common": {
        **{"runtime": 0.3, "runtime_precision": 0.1, "precision": 0.1, "runtime_variant": 0.05},
        **{"family": 0.2, "family_runtime": 0.1, "family_precision": 0.1, "family:peak": 0.1},
        **{"family:year": 0.2, "design": 0.1, "design_runtime": 0.05, "design_precision": 0.05},
        **{"chip": 0.05, "device": 0.03, "device_precision": 0.02, "lane": 0.03},
        **{"unit:peak": 0.2, "unit:threads": 0.2, "unit:core": 0.05, "unit:balance": 0.03},
        **{"unit:bandwidth": 0.1, "runtime:threads": 0.05, "runtime_precision:peak": 0.05},
        **{"unit:images": 0.05, "device:images": 0.02},
        **{"device:threads": 0.05, "device:balance": 0.03},
    },
    "kind": {
        **{"runtime": 0.3, "runtime_precision": 0.1, "family": 0.1, "design": 0.05},
        **{"device": 0.03, "lane": 0.005, "unit:peak": 0.1, "unit:threads": 0.1},
        "unit:images": 0.05,
    },
    "operator": {"runtime_precision": 0.01, "device": 0.004, "lane": 0.003},
    "column": {
        **{"runtime": 0.1, "runtime_precision": 0.06, "family": 0.01, "device": 0.04},
        **{"device_precision": 0.02, "lane": 0.004},
    },
    "trend": {"runtime_precision": 0.001, "device": 0.003, "lane": 0.0015},
    "publication": {"lane": 0.003},
    "feature": {"runtime_precision": 0.001, "family": 0.002, "device_precision": 0.002,
                "lane": 0.001},
    "family": {"unit": 0.002, "runtime_precision": 0.005, "device": 0.005, "lane": 0.003},
}  # fmt: skip
STARTING = Variances(by_relation=_LEVELS, exact=0.0008, close=0.002)
_LONG = {"unit": 0.001, "runtime_precision": 0.001, "device": 0.001, "lane": 0.001}
STARTING_LONG = Variances(
    by_relation={"feature": _LONG, "family": _LONG}, exact=0.0004, close=0.002
)
"""… for very long lanes, whose unit costs and layers leave only what networks have in common."""
