"""A publication is screened beside the catalog's figures and added to them."""

import csv
from pathlib import Path

import pytest

from advisor.catalog.intake.adding import NEEDED, Addition, add
from advisor.catalog.intake.ledger import raw_files
from advisor.catalog.measurements import read_device
from advisor.core.workload import Layer, OperatorClass, Workload
from advisor.core.workload_table import WorkloadTable, write
from advisor.errors import CatalogError
from advisor.hardware.library import ProfileLibrary

BOARD = """\
id: board
name: Board
units:
- kind: cpu
  name: one core
  silicon:
    clusters:
    - {cores: 1, core: Cortex-A53, clock_ghz: 1}
    source: hand
    confidence: high
  unsupported: {bf16: no bf16 arithmetic}
  source: hand
  confidence: high
  runtimes_source: hand
default_lane: {unit: cpu, runtime: ncnn, precision: fp32}
"""
ROW = {
    "device_id": "board",
    "unit": "cpu",
    "runtime": "ncnn",
    "precision": "fp32",
    "threads": "1",
    "batch": "1",
    "network": "toy",
    "resolution": "32",
    "latency_ms": "10",
    "date": "2026-01",
    "source": "a-paper",
    "source_ref": "a paper, table 1",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A catalog whose one network has a million multiply-accumulates: 0.25 ms at the peak."""
    folder = tmp_path / "catalog"
    (folder / "measurements").mkdir(parents=True)
    layer = Layer(operator=OperatorClass.DENSE, kind="convolution", macs=1_000_000, weights=9)
    one = Workload(
        network="toy",
        resolution=32,
        parameters=9,
        buffers=0,
        peak_activations=1,
        layers=(layer,),
    )
    write(WorkloadTable.of([one]), folder)
    (folder / "network_aliases.csv").write_text("name,network,source\n")
    return folder


def library(folder: Path) -> ProfileLibrary:
    (folder / "profiles").mkdir(exist_ok=True)
    (folder / "profiles" / "board.yaml").write_text(BOARD)
    return ProfileLibrary(folders=(folder / "profiles",))


def added(root: Path, *rows: dict[str, str], dry_run: bool = False) -> Addition:
    table = root.parent / "table.csv"
    with table.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list({**ROW, **rows[0]}))
        writer.writeheader()
        writer.writerows({**ROW, **row} for row in rows)
    return add(table, root, library(root.parent), dry_run=dry_run)


def test_a_sound_figure_is_kept_and_can_be_read_back(root: Path) -> None:
    assert [row.status for row in added(root, {}).rows] == ["kept"]
    (found,) = read_device(root, "board")
    assert (found.network, found.latency, found.source) == ("toy", 0.01, "a-paper")
    assert "board,cpu,ncnn,fp32,1,1,,1,1" in (root / "lanes.csv").read_text()


def test_a_table_added_twice_changes_nothing(root: Path) -> None:
    added(root, {})
    before = (root / "measurements" / "board.csv").read_bytes()
    assert [row.status for row in added(root, {}).rows] == ["known"]
    assert (root / "measurements" / "board.csv").read_bytes() == before


def test_a_ledger_begun_before_it_had_days_is_continued(root: Path) -> None:
    (root / "imports.csv").write_text("file,rows,sha256\nmeasurements/old.csv,1,x\n")
    added(root, ROW)
    old, new = raw_files(root)
    assert (old.publication, old.added) == ("old", "")
    assert len(new.added) == len("2026-01-31")


def test_a_dry_run_writes_nothing(root: Path) -> None:
    added(root, {}, dry_run=True)
    assert not list((root / "measurements").iterdir())


def test_a_figure_far_above_the_peak_is_left_out(root: Path) -> None:
    (row,) = added(root, {"latency_ms": "0.05"}).rows
    assert row.status == "left_out"
    assert "Faster than the unit's arithmetic allows" in row.reasons[0]


def test_a_precision_that_the_profile_rules_out_is_left_out(root: Path) -> None:
    (row,) = added(root, {"precision": "bf16"}).rows
    assert row.reasons == ("The chip's unit has no arithmetic of this precision.",)


def test_a_mean_far_above_the_minimum_is_taken_at_the_minimum(root: Path) -> None:
    (row,) = added(root, {"latency_min_ms": "5"}).rows
    assert row.status == "caveat"
    (found,) = read_device(root, "board")
    assert (found.latency, found.statistic) == (0.005, "minimum")


def test_two_publications_that_differ_are_both_kept_and_say_so(root: Path) -> None:
    added(root, {})
    (row,) = added(root, {"latency_ms": "20", "source": "b-paper"}).rows
    assert row.status == "caveat"
    rows = read_device(root, "board")
    assert [one.status for one in rows] == ["caveat", "caveat"]
    assert all("sources-disagree" in one.caveats for one in rows)


def test_a_network_without_a_count_is_named(root: Path) -> None:
    assert added(root, {"resolution": "64"}).uncounted == ("toy@64",)


def test_a_network_that_nobody_knows_is_refused(root: Path) -> None:
    said = r"line 2, column network: 'unheard-of': no such network"
    with pytest.raises(CatalogError, match=said):
        added(root, {"network": "unheard-of"})


def test_a_name_of_the_publication_alone_is_on_file_without_a_network(root: Path) -> None:
    (row,) = added(root, {"network": "", "model_raw": "OurNet"}).rows
    assert row.network == "OurNet@32"
    assert "No network of the catalog is the same" in " ".join(row.reasons)


@pytest.mark.parametrize("column", NEEDED)
def test_an_empty_cell_that_is_needed_is_named(root: Path, column: str) -> None:
    with pytest.raises(CatalogError, match=f"line 2, column {column}.*every figure needs it"):
        added(root, {column: ""})


def test_a_device_without_a_profile_is_refused(root: Path) -> None:
    with pytest.raises(CatalogError, match=r"line 2, column device_id: .*bord.*mean 'board'"):
        added(root, {"device_id": "bord"})


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        *(("batch", cell) for cell in ("0", "-1", "1" + "0" * 30)),
        *(("threads", cell) for cell in ("0", "-4")),
        *(("resolution", cell) for cell in ("0", "-224", "99999")),
        *(("precision", cell) for cell in ("FP32", "fp23")),
        *(("runtime", cell) for cell in ("NCNN", "my runtime")),
        *(("date", cell) for cell in ("yesterday", "2026-13", "26-01")),
        *(("top1", "740"), ("source", "Acme Corp"), ("unit", "gpu")),
    ],
)
def test_a_cell_that_cannot_be_true_is_named(root: Path, column: str, cell: str) -> None:
    with pytest.raises(CatalogError, match=f"line 2, column {column}: ") as refused:
        added(root, {column: cell})
    assert cell in str(refused.value)


def test_a_figure_is_of_the_architecture_whatever_weights_and_input_its_name_states(
    root: Path,
) -> None:
    (row,) = added(root, {"network": "toy.some_weights@32", "resolution": ""}).rows
    assert row.network == "toy@32"
    assert row.status == "kept"


def test_a_name_and_a_column_that_state_two_inputs_are_refused(root: Path) -> None:
    with pytest.raises(CatalogError, match="column resolution: '64' is not the input of toy@32"):
        added(root, {"network": "toy@32", "resolution": "64"})


def test_a_figure_without_an_input_asks_for_no_count(root: Path) -> None:
    assert added(root, {"resolution": ""}).uncounted == ()


def test_an_unknown_caveat_is_refused(root: Path) -> None:
    with pytest.raises(CatalogError, match="column caveats: 'doubtfull' is not allowed"):
        added(root, {"caveats": "doubtfull"})
