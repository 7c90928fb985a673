"""Streaming: weights that do not fit an accelerator's memory cross its link at every pass.

A floor under the latency that no estimate may pass: an Edge TPU keeps 8 MB of weights and takes
the rest over USB or PCIe for each image.
"""

import numpy as np
from numpy.typing import NDArray

from advisor.lane import Lane
from advisor.profile import DeviceProfile

Floats = NDArray[np.float64]


def floors(profile: DeviceProfile, lane: Lane, weight_bytes: Floats) -> Floats:
    """Return the least seconds of a pass by what has to cross the link; 0 where nothing has to.

    Zero, too, where the profile names no memory on the chip or no link.
    """
    unit = profile.unit(lane.unit)
    if unit is None or unit.on_chip_memory is None or unit.link_bandwidth is None:
        return np.zeros_like(weight_bytes)
    return np.maximum(weight_bytes - unit.on_chip_memory, 0.0) / unit.link_bandwidth
