"""The workloads that ship with the catalog."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch

from advisor.catalog.accuracy import read_accuracies
from advisor.core.workload_table import WorkloadTable, read, write
from advisor.errors import CatalogError
from advisor.hardware.library import catalog_directory
from advisor.networks.deployment import has_training_form

ROOT = catalog_directory()


@pytest.fixture(scope="module")
def table() -> WorkloadTable:
    return read(ROOT)


@pytest.mark.parametrize(
    ("network", "resolution", "gigamacs"),
    [
        ("resnet50", 224, 4.09),
        ("mobilenetv2_100", 224, 0.301),
        ("efficientnet_b0", 224, 0.386),
        ("tf_efficientnet_b7", 600, 37.7),
        ("shufflenet_v1_g3", 224, 0.137),
        ("vit_base_patch16_224", 224, 17.6),
    ],
)
def test_known_totals(table: WorkloadTable, network: str, resolution: int, gigamacs: float) -> None:
    row = table.index[network, resolution]
    assert table.macs[row] / 1e9 == pytest.approx(gigamacs, rel=0.01)


def test_tables_joined_hold_the_workloads_of_both(table: WorkloadTable) -> None:
    first, second = table.rows([3, 500]), table.rows([900, 3])
    both = first.joined(WorkloadTable.of([second.workload(0), second.workload(1)]))
    assert [both.workload(row) for row in range(4)] == [table.workload(r) for r in (3, 500, 900, 3)]
    assert both.macs.tolist() == table.macs[[3, 500, 900, 3]].tolist()


def test_every_published_accuracy_has_a_workload(table: WorkloadTable) -> None:
    missing = [
        w.network for w in read_accuracies(ROOT) if (w.network, w.resolution) not in table.index
    ]
    assert missing == []


def test_parameters_agree_with_the_published_ones(table: WorkloadTable) -> None:
    """Published are those of the form that is trained, which has more where branches merge."""
    off = {
        w.network: w.parameters
        for w in read_accuracies(ROOT)
        if w.parameters
        and not _near(table.parameters[table.index[w.network, w.resolution]], w.parameters)
        and w.source == "timm-results"
    }
    for network, published in off.items():
        with torch.device("meta"):
            trained = timm.create_model(network)
        assert has_training_form(trained), network
        assert _near(sum(one.numel() for one in trained.parameters()), published), network
        assert (table.parameters[_rows(table, network)] < published).all(), network


def _near(counted: float, published: float) -> bool:
    return abs(counted - published) <= 0.01 * published + 1e4


def _rows(table: WorkloadTable, network: str) -> list[int]:
    return [row for row, name in enumerate(table.networks) if name == network]


@pytest.mark.parametrize("field", ["macs", "weights"])
def test_sums_that_are_kept_equal_those_over_the_layers(table: WorkloadTable, field: str) -> None:
    np.testing.assert_array_equal(
        table.sums[field], table.total(table.column(field).astype(np.float64))
    )


def test_a_table_reads_back_as_it_was_written(table: WorkloadTable, tmp_path: Path) -> None:
    few = table.rows([0, 5, 9])
    write(few, tmp_path)
    again = read(tmp_path)
    assert [again.workload(i) for i in range(3)] == [few.workload(i) for i in range(3)]


def test_a_torn_table_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "networks.csv").write_text("network\n")
    (tmp_path / "layers.npz").write_bytes(b"torn")
    with pytest.raises(CatalogError, match="advisor catalog count"):
        read(tmp_path)


def test_a_table_whose_layers_are_torn_says_so_when_they_are_needed(
    table: WorkloadTable, tmp_path: Path
) -> None:
    write(table.rows([0, 5, 9]), tmp_path)
    (tmp_path / "layers.npz").write_bytes(b"torn")
    few = read(tmp_path)
    np.testing.assert_array_equal(few.macs, table.macs[[0, 5, 9]])
    with pytest.raises(CatalogError, match="advisor catalog count"):
        few.workload(0)


def test_sums_of_another_table_are_refused(table: WorkloadTable, tmp_path: Path) -> None:
    write(table.rows([0, 5, 9]), tmp_path)
    np.save(tmp_path / "layer_weights.npy", np.zeros(2, np.int64))
    with pytest.raises(CatalogError, match="2 rows of weights for 3 networks"):
        read(tmp_path)
