"""The arithmetic prices a variant exactly as counting the built network does."""

import random
import subprocess
import sys
from functools import cache

import pytest

from advisor.core.candidate import Candidate
from advisor.core.workload import Workload
from advisor.core.workload_table import WorkloadTable, read
from advisor.errors import NetworkError, UsageError
from advisor.hardware.library import catalog_directory
from advisor.networks.blueprints.stock import BASES, base_of
from advisor.networks.building import build
from advisor.networks.counting import count
from advisor.networks.pricing.prices import price, price_one
from advisor.studies.families import families

STOCK = {
    "mobilenetv1_125": "mobilenetv1_100:width=1.25",
    "mobilenetv2_140": "mobilenetv2_100:width=1.4",
    "mobilenetv3_small_050": "mobilenetv3_small_100:width=0.5",
    "mobilenetv3_large_075": "mobilenetv3_large_100:width=0.75",
    "mnasnet_140": "mnasnet_100:width=1.4",
    "semnasnet_075": "semnasnet_100:width=0.75",
    "efficientnet_b4": "efficientnet_b0:width=1.4,depth=1.8",
    "efficientnet_lite4": "efficientnet_lite0:width=1.4,depth=1.8",
    "tf_efficientnetv2_b3": "tf_efficientnetv2_b0:width=1.2,depth=1.4",
    "efficientnetv2_rw_t": "efficientnetv2_s:width=0.8,depth=0.9",
    "ghostnet_130": "ghostnet_100:width=1.3",
    "shufflenet_v2_x0_5": "shufflenet_v2_x1_0:width=0.5",
    "resnet26": "resnet50:stage1=2,stage2=2,stage3=2,stage4=2",
    "regnety_016": "regnety_004:w0=48,wa=20.71,wm=2.65,group=24,depth=27",
    "cifar_resnet110": "cifar_resnet20:blocks=18",
}
"""Networks that others published, and the same as a variant of another."""


def built(candidate: Candidate, side: int) -> Workload:
    return count(build(candidate, side), name=candidate.network, resolution=side)


def totals(workload: Workload) -> tuple[object, ...]:
    return workload.macs, workload.parameters, workload.peak_activations, workload.layers


@pytest.mark.parametrize("family", families())
def test_priced_workload_is_the_counted_one(family: str) -> None:
    points = families()[family].sample(random.Random(family), 2)
    for candidate in points:
        assert candidate.resolution is not None
        assert price_one(candidate) == built(candidate, candidate.resolution)


@pytest.mark.slow
@pytest.mark.parametrize("family", families())
def test_priced_workload_is_the_counted_one_at_forty_random_points(family: str) -> None:
    for candidate in families()[family].sample(random.Random(7), 40):
        assert candidate.resolution is not None
        assert price_one(candidate) == built(candidate, candidate.resolution)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BASES))
def test_base_without_axes_is_the_stock_network(name: str) -> None:
    side = 33 if name.startswith("cifar") else 97
    candidate = Candidate(architecture=name, resolution=side)
    assert totals(price_one(candidate)) == totals(built(candidate, side))


@pytest.mark.parametrize(("stock", "variant"), STOCK.items())
def test_variant_with_published_settings_is_the_published_network(stock: str, variant: str) -> None:
    candidate = Candidate.parse(variant.replace(":", "@64:"))
    assert totals(price_one(candidate)) == totals(built(Candidate.parse(stock), 64))


def test_workloads_of_a_batch_are_those_of_its_members() -> None:
    pair = [Candidate.parse("mobilenetv2_100@96:width=0.5"), Candidate.parse("resnet50:stage4=1")]
    table = price(pair)
    assert [table.workload(row) for row in (0, 1)] == [price_one(candidate) for candidate in pair]


def test_phi_sets_the_resolution_where_none_is_given() -> None:
    table = price([Candidate.parse("efficientnet_b0:phi=2")])
    assert table.resolutions.tolist() == [296]  # 224 * 1.15^2 = 296.2


def test_given_resolution_wins_over_phi() -> None:
    assert price([Candidate.parse("efficientnet_b0@128:phi=2")]).resolutions.tolist() == [128]


def test_unknown_axis_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NetworkError, match="no axis 'height'; it has depth, width"):
        price_one(Candidate.parse("mobilenetv2_100:height=2"))


def test_kernel_outside_the_space_is_refused() -> None:
    with pytest.raises(NetworkError, match="kernel1=4 has to be one of 3, 5, 7"):
        price_one(Candidate.parse("ofa_mobilenetv3:kernel1=4"))


def test_regnet_with_three_stages_is_refused() -> None:
    with pytest.raises(NetworkError, match="gives 3 stages"):
        price_one(Candidate.parse("regnety_008:w0=64"))


def test_network_without_axes_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'mobilenetv2_100'"):
        base_of(Candidate.parse("mobilenetv2_1000:width=1"))


@cache
def shipped() -> WorkloadTable:
    return read(catalog_directory())


@pytest.mark.parametrize("name", sorted(BASES))
def test_shipped_counts_of_a_network_with_axes_are_priced_the_same(name: str) -> None:
    """So any size of its input is priced, without PyTorch."""
    table = shipped()
    rows = [row for row in range(len(table)) if table.networks[row] == name]
    for row in rows:
        counted = table.workload(row)
        asked = Candidate(architecture=name, resolution=counted.resolution)
        assert price_one(asked) == counted


def test_another_size_of_a_network_with_axes_needs_no_pytorch() -> None:
    code = (
        "import sys; from advisor.cli.main import run; "
        "code = run(['-q', 'estimate', 'mobilenetv2_100@100', '--device', 'jetson-nano']); "
        "sys.exit(code or ('torch' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
