"""A network that learns while its numbers are rounded as int8 rounds them."""

import copy

import pytest
import torch
from torch import nn

from advisor.trials.rounding import RoundedWeights, forget_rounding, learn_rounding


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
    return nn.Sequential(*layers)


def test_weights_of_a_channel_take_at_most_255_steps_of_its_own() -> None:
    weight = torch.tensor([[1.27, 0.004, -0.006], [12.7, 0.04, -0.06]])
    rounded = RoundedWeights()(weight)
    torch.testing.assert_close(rounded, torch.tensor([[1.27, 0.0, -0.01], [12.7, 0.0, -0.1]]))


def test_gradient_passes_as_if_nothing_was_rounded(network: nn.Module) -> None:
    images = torch.rand(2, 3, 8, 8)
    learn_rounding(network, images)
    network(images).sum().backward()
    grads = [p.grad for name, p in network.named_parameters() if name.endswith("original")]
    assert len(grads) == 2
    assert all(grad is not None and grad.abs().sum() > 0 for grad in grads)


def test_rounding_is_seen_while_learnt_and_gone_afterwards(network: nn.Module) -> None:
    images = torch.rand(4, 3, 8, 8)
    plain = network.eval()(images)
    names = set(network.state_dict())
    learn_rounding(network, images)
    rounded = network(images)
    assert 0 < (rounded - plain).abs().max().item() < 0.1
    forget_rounding(network)
    torch.testing.assert_close(network(images), plain)
    assert set(network.state_dict()) == names


def test_moving_average_rounds_by_itself(network: nn.Module) -> None:
    """The copy that a training keeps does not lean on the network that it was copied from."""
    learn_rounding(network, torch.rand(4, 3, 8, 8))
    other = copy.deepcopy(network)
    network.train()
    for _ in range(5):
        network(100 * torch.rand(4, 3, 8, 8))
    first, copied = (held.get_submodule("0").input_range for held in (network, other))
    assert isinstance(first, torch.Tensor)
    assert isinstance(copied, torch.Tensor)
    assert float(first[1]) > 5 * float(copied[1])
