"""Weights that do not fit on an accelerator cross its link at every pass."""

import numpy as np
import pytest

from advisor.answering.assess import floors
from advisor.core.lane import Lane
from advisor.hardware.library import load_profile

EDGE_TPU = Lane(device="coral-usb-accelerator", unit="tpu", runtime="edgetpu", precision="int8")


def test_weights_that_fit_cost_nothing() -> None:
    profile = load_profile("coral-usb-accelerator")
    assert floors(profile, EDGE_TPU, np.array([7.9e6])).tolist() == [0.0]


def test_the_rest_takes_its_size_over_the_rate_of_the_link() -> None:
    profile = load_profile("coral-usb-accelerator")
    (seconds,) = floors(profile, EDGE_TPU, np.array([18e6]))
    assert seconds == pytest.approx(10e6 / 0.5e9)


def test_a_unit_without_a_link_has_no_floor() -> None:
    lane = Lane(device="jetson-nano", unit="gpu", runtime="tensorrt", precision="fp16")
    assert floors(load_profile("jetson-nano"), lane, np.array([1e9])).tolist() == [0.0]
