"""Counts of small networks against figures computed by hand, and of known ones."""

from pathlib import Path

import onnx
import torch
from torch import nn

from advisor.core.workload import Fusion, OperatorClass, Workload
from advisor.networks.counting import count, cross_check
from advisor.networks.onnx_file import describe_onnx
from tests.onnx_files import two_convolutions


def counted(network: nn.Module, resolution: int = 8) -> Workload:
    return count(network.to("meta"), name="by-hand", resolution=resolution)


def test_a_pointwise_convolution_costs_pixels_times_channels_squared() -> None:
    network = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 32, 1))
    pointwise = counted(network).layers[1]
    assert pointwise.operator is OperatorClass.POINTWISE
    assert pointwise.macs == 8 * 8 * 16 * 32
    assert pointwise.weights == 16 * 32 + 32
    assert (pointwise.reads, pointwise.writes) == (16 * 64, 32 * 64)


def test_the_convolution_that_reads_the_image_is_the_stem() -> None:
    stem = counted(nn.Conv2d(3, 16, 3, stride=2, padding=1)).layers[0]
    assert stem.operator is OperatorClass.STEM
    assert stem.macs == 4 * 4 * 16 * 3 * 9


def test_a_depthwise_convolution_costs_its_kernel_per_element() -> None:
    network = nn.Sequential(nn.Conv2d(3, 16, 1), nn.Conv2d(16, 16, 5, padding=2, groups=16))
    depthwise = counted(network).layers[1]
    assert depthwise.operator is OperatorClass.DEPTHWISE
    assert depthwise.macs == 64 * 16 * 25
    assert (depthwise.kernel_h, depthwise.kernel_w) == (5, 5)


def test_groups_divide_the_cost() -> None:
    network = nn.Sequential(nn.Conv2d(3, 16, 1), nn.Conv2d(16, 16, 3, padding=1, groups=4))
    grouped = counted(network).layers[1]
    assert grouped.operator is OperatorClass.GROUPED
    assert grouped.macs == 64 * 16 * 4 * 9


def test_a_classifier_costs_inputs_times_outputs() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 10, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(10, 7)
    )
    head = counted(network).layers[-1]
    assert head.operator is OperatorClass.FULLY_CONNECTED
    assert head.macs == 70


def test_normalisation_and_activation_fold_into_the_convolution() -> None:
    workload = counted(nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU()))
    assert [layer.fusion for layer in workload.layers] == [
        Fusion.NONE,
        Fusion.FOLDED,
        Fusion.FOLDED,
    ]
    assert workload.launches == 1


class Residual(nn.Module):
    """Image → a; a → b; a + b."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 4, 1)
        self.b = nn.Conv2d(4, 4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a = self.a(x)
        total: torch.Tensor = a + self.b(a)
        return total


def test_a_residual_addition_is_done_with_the_convolution_before_it() -> None:
    addition = counted(Residual()).layers[-1]
    assert addition.operator is OperatorClass.ELEMENTWISE
    assert addition.fusion is Fusion.RESIDUAL


def test_peak_memory_holds_input_and_output_of_the_largest_step() -> None:
    network = nn.Sequential(nn.Conv2d(3, 16, 1), nn.Conv2d(16, 2, 1))
    assert counted(network).peak_activations == (3 + 16) * 64


def test_a_shortcut_stays_alive_while_its_branch_runs() -> None:
    assert counted(Residual()).peak_activations == (4 + 4) * 64


def test_attention_is_told_apart_from_other_products() -> None:
    class Attention(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            tokens = x.flatten(2).transpose(1, 2)
            return nn.functional.scaled_dot_product_attention(tokens, tokens, tokens)

    workload = counted(Attention())
    attention = [layer for layer in workload.layers if layer.operator is OperatorClass.ATTENTION]
    assert sum(layer.macs * layer.count for layer in attention) == 2 * 64 * 64 * 3


def test_equal_layers_are_kept_once_with_their_count() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 1), *[nn.Conv2d(8, 8, 1) for _ in range(5)])
    assert [layer.count for layer in counted(network).layers] == [1, 5]


def test_an_operation_without_a_rule_is_reported() -> None:
    class Odd(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            odd: torch.Tensor = torch.special.bessel_j0(x)
            return odd

    assert counted(Odd()).uncounted == ("special_bessel_j0 ×1",)


def test_counters_that_disagree_leave_a_caveat() -> None:
    network = nn.Conv2d(3, 4, 1, bias=False).to("meta")  # ptflops counts the bias, too
    honest = counted(network)
    assert cross_check(network, honest).caveats == ()
    wrong = Workload(
        network="doubled",
        resolution=8,
        parameters=honest.parameters,
        buffers=0,
        peak_activations=0,
        layers=(*honest.layers, *honest.layers),
    )
    assert len(cross_check(network, wrong).caveats) == 2


def test_an_onnx_file_is_counted_like_the_network_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "two.onnx"
    onnx.save(two_convolutions(), path)
    workload = describe_onnx(path, resolution=8)
    network = nn.Sequential(nn.Conv2d(3, 16, 1), nn.ReLU(), nn.Conv2d(16, 2, 1))
    built = counted(network)
    assert workload.macs == built.macs
    assert workload.parameters == built.parameters
    assert workload.launches == built.launches
    assert workload.peak_activations == built.peak_activations
