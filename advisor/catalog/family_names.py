"""What a network's name tells of it: its family, and whether integers hold it badly."""

import re
from functools import cache

_GATED = re.compile(
    r"(?:tf_|cf_|pt_)?(?:efficientnet_(?:b|l|v2)|efficientnetv2|mobilenetv3|mixnet|tinynet|lcnet"
    r"|fbnetv3|hardcorenas|rexnet|mobilenetedge)"
)
_WITHOUT_GATES = re.compile(r"minimal|lite")


def is_gated(network: str) -> bool:
    """Whether a network has squeeze-excitation and (hard-)swish, whose ranges integers hold badly.

    EfficientNet and MobileNetV3 with their relatives, but for the versions made for integers.
    """
    name = network.lower().replace("-", "_").strip()
    return bool(_GATED.match(name)) and not _WITHOUT_GATES.search(name)


@cache
def family_of(network: str) -> str:
    """Return the family of a network: its name up to the first size, such as ``resnet``."""
    found = re.match(
        r"(?:tf2?_|cf_|pt_|quantized_)?([a-z]+?(?:v\d)?)(?=[_\d:. -]|$)", network.lower().strip()
    )
    return found[1] if found else network.lower()
