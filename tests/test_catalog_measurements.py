"""Reading measurements, and the cells they add up to."""

import time
from pathlib import Path

import pytest

from advisor.catalog.measurements import (
    COLUMNS,
    Measurement,
    caveat_texts,
    cells,
    device_ids,
    read_all,
    read_device,
)
from advisor.catalog.tables import write_table
from advisor.errors import CatalogError

ROOT = Path(__file__).parents[1] / "catalog"
ROW = {
    "unit": "cpu",
    "runtime": "ncnn",
    "precision": "fp32",
    "threads": "4",
    "batch": "1",
    "network": "resnet18",
    "resolution": "224",
    "match": "exact",
    "latency_ms": "10",
    "date": "2024-01",
    "source": "a-source",
    "source_ref": "a/source@1:file",
    "status": "kept",
}


def catalog(folder: Path, *rows: dict[str, str]) -> Path:
    """Write a catalog of one device, ``board``, whose rows differ from ``ROW`` as told."""
    write_table(folder / "measurements" / "board.csv", COLUMNS, [{**ROW, **row} for row in rows])
    lines = ['noisy-mean: "x"', 'bulk-batch: "y"', 'reprint: "z"', ""]
    (folder / "caveats.yaml").write_text("\n".join(lines))
    return folder


def one(folder: Path, **row: str) -> Measurement:
    return read_device(catalog(folder, row), "board")[0]


def test_milliseconds_become_seconds(tmp_path: Path) -> None:
    assert one(tmp_path).latency == pytest.approx(0.010)


def test_time_per_image_is_latency_over_batch(tmp_path: Path) -> None:
    assert one(tmp_path, batch="4").seconds_per_image == pytest.approx(0.0025)


def test_throughput_alone_is_no_latency(tmp_path: Path) -> None:
    row = one(tmp_path, latency_ms="", throughput_ips="50")
    assert row.latency is None
    assert not row.is_latency
    assert row.seconds_per_image == pytest.approx(0.02)


def test_noisy_mean_gives_way_to_the_minimum(tmp_path: Path) -> None:
    row = one(tmp_path, latency_min_ms="4", caveats="noisy-mean", status="caveat")
    assert row.latency == pytest.approx(0.004)


def test_bulk_rows_share_a_lane_and_keep_their_batch(tmp_path: Path) -> None:
    bulk = {"caveats": "bulk-batch"}
    root = catalog(tmp_path, {**bulk, "batch": "256"}, {**bulk, "batch": "1024"})
    rows = read_device(root, "board")
    assert rows[0].lane == rows[1].lane
    assert rows[0].lane.is_bulk
    assert [row.batch for row in rows] == [256, 1024]


def test_unstated_batch_is_bulk(tmp_path: Path) -> None:
    row = one(tmp_path, batch="", latency_ms="", throughput_ips="50")
    assert row.lane.is_bulk


def test_cell_is_the_median_in_log_space(tmp_path: Path) -> None:
    root = catalog(tmp_path, {"latency_ms": "10"}, {"latency_ms": "40"})
    (cell,) = cells(read_device(root, "board")).values()
    assert cell.latency == pytest.approx(0.020)
    assert cell.spread == pytest.approx(4)
    assert cell.count == 2


def test_left_out_rows_are_in_no_cell(tmp_path: Path) -> None:
    root = catalog(tmp_path, {}, {"latency_ms": "90", "status": "left_out", "caveats": "reprint"})
    (cell,) = cells(read_device(root, "board")).values()
    assert cell.count == 1


def test_exact_matches_outrank_close_ones(tmp_path: Path) -> None:
    root = catalog(tmp_path, {}, {"latency_ms": "90", "match": "close"})
    (cell,) = cells(read_device(root, "board")).values()
    assert cell.match == "exact"
    assert cell.latency == pytest.approx(0.010)


@pytest.mark.parametrize(
    ("column", "value", "allowed"),
    [
        ("latency_ms", "fast", "write a number"),
        ("latency_ms", "-1", "positive"),
        ("latency_ms", "nan", "positive"),
        ("latency_ms", "", "throughput_ips is needed"),
        ("batch", "1.5", "whole number"),
        ("unit", "fpga", "cpu, gpu, npu, tpu, dla"),
        ("status", "good", "kept, caveat, left_out"),
        ("match", "maybe", "exact, close, none"),
        ("source", "", "every figure needs its source"),
        ("caveats", "odd", "sentence in caveats.yaml"),
    ],
)
def test_malformed_cell_is_one_clear_line(
    tmp_path: Path, column: str, value: str, allowed: str
) -> None:
    root = catalog(tmp_path, {column: value})
    with pytest.raises(CatalogError) as caught:
        read_device(root, "board")
    message = str(caught.value)
    assert "board.csv, line 2" in message
    assert f"column {column}" in message
    assert allowed in message
    assert "\n" not in message


def test_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "measurements").mkdir()
    (tmp_path / "measurements" / "board.csv").write_text("unit,runtime\n")
    (tmp_path / "caveats.yaml").write_text("")
    with pytest.raises(CatalogError, match="missing columns precision"):
        read_device(tmp_path, "board")


def test_short_row_is_refused(tmp_path: Path) -> None:
    root = catalog(tmp_path, {})
    path = root / "measurements" / "board.csv"
    path.write_text(path.read_text() + "cpu,ncnn\n")
    with pytest.raises(CatalogError, match="line 3: 2 cells"):
        read_device(root, "board")


def test_missing_device_is_a_catalog_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="cannot read"):
        read_device(tmp_path, "nowhere")


def test_every_device_of_the_catalog_is_read_quickly() -> None:
    caveat_texts(ROOT)
    start = time.process_time()
    everything = read_all(ROOT)
    # The target is half a second; the bound leaves room for a busy machine.
    assert time.process_time() - start < 2
    assert len(everything) == len(device_ids(ROOT)) > 200


def test_no_lane_mixes_devices() -> None:
    for device in ("jetson-nano", "macbook-pro-m1", "macbook-pro-intel"):
        assert {row.lane.device for row in read_device(ROOT, device)} == {device}
