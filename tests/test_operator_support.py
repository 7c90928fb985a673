"""What accelerators' runtimes have been seen to run."""

import pytest

from advisor.catalog.operator_support import (
    FILE,
    OperatorSupport,
    Seen,
    read_support,
    write_support,
)
from advisor.core.lane import Lane
from advisor.core.workload import Layer, OperatorClass, Workload
from advisor.core.workload_table import WorkloadTable, read
from advisor.hardware.library import catalog_directory

LANE = Lane(device="board", unit="npu", runtime="compiler", precision="int8")
CONVOLUTIONS = Seen(operators=frozenset({OperatorClass.STEM, OperatorClass.POINTWISE}), networks=8)


def network(*operators: OperatorClass) -> WorkloadTable:
    layers = tuple(Layer(operator=operator, kind=str(operator), macs=1) for operator in operators)
    return WorkloadTable.of(
        [
            Workload(
                network="net",
                resolution=8,
                parameters=1,
                buffers=0,
                peak_activations=1,
                layers=layers,
            )
        ]
    )


def reasons(seen: Seen, *operators: OperatorClass, lane: Lane = LANE) -> list[str]:
    return OperatorSupport(seen={("compiler", "npu"): seen}).reasons(lane, network(*operators))


def test_a_class_that_was_never_seen_is_named() -> None:
    assert "attention" in reasons(CONVOLUTIONS, OperatorClass.STEM, OperatorClass.ATTENTION)[0]


def test_classes_that_were_seen_give_no_reason() -> None:
    assert reasons(CONVOLUTIONS, OperatorClass.STEM, OperatorClass.POINTWISE) == [""]


def test_a_few_networks_prove_nothing() -> None:
    few = Seen(operators=CONVOLUTIONS.operators, networks=2)
    assert reasons(few, OperatorClass.ATTENTION) == [""]


def test_products_of_activations_stand_for_attention() -> None:
    products = Seen(operators=frozenset({OperatorClass.MATMUL}), networks=8)
    assert reasons(products, OperatorClass.ATTENTION) == [""]


def test_a_processor_runs_everything() -> None:
    cpu = Lane(device="board", unit="cpu", runtime="compiler", precision="int8")
    assert reasons(CONVOLUTIONS, OperatorClass.ATTENTION, lane=cpu) == [""]


def test_what_a_runtime_was_never_seen_to_run_is_not_measured_first() -> None:
    support = OperatorSupport(seen={("compiler", "npu"): CONVOLUTIONS})
    other = Lane(device="board", unit="cpu", runtime="other", precision="fp32")
    ncnn = Lane(device="board", unit="cpu", runtime="ncnn", precision="fp32")
    plain, product = network(OperatorClass.STEM), network(OperatorClass.ATTENTION)
    assert support.measurable(LANE, plain) == [True]
    assert support.measurable(LANE, product) == [False]
    assert support.measurable(other, product) == [True]
    assert support.measurable(ncnn, product) == [False]


def test_the_shipped_table_is_that_of_the_catalog(tmp_path_factory: pytest.TempPathFactory) -> None:
    root = catalog_directory()
    folder = tmp_path_factory.mktemp("catalog")
    (folder / "measurements").symlink_to(root / "measurements")
    (folder / "caveats.yaml").symlink_to(root / "caveats.yaml")
    write_support(folder, read(root))
    assert (folder / FILE).read_text() == (root / FILE).read_text()


def test_the_shipped_table_knows_that_no_transformer_ran_on_an_edge_tpu() -> None:
    seen = read_support(catalog_directory()).seen["edgetpu", "tpu"]
    assert OperatorClass.ATTENTION not in seen.operators
