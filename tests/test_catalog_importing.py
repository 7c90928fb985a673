"""From raw rows to the catalog: names, variants, caveats, comparison."""

import csv
from pathlib import Path

import pytest

from advisor.catalog.intake.importing import RAW_COLUMNS, device_of, import_measurements, screened
from advisor.catalog.intake.rows import RawRow
from advisor.catalog.naming import catalog_name

RAW = {
    **dict.fromkeys(RAW_COLUMNS, ""),
    "source": "ncnn-bench",
    "source_ref": "a/b@1:c",
    "date": "2024-01",
    "device_id": "board",
    "chip": "Cortex-A76",
    "unit": "cpu",
    "runtime": "ncnn",
    "precision": "fp32",
    "threads": "4",
    "model_raw": "resnet18",
    "timm_name": "resnet18",
    "match": "exact",
    "input_h": "224",
    "input_w": "224",
    "batch": "1",
    "latency_ms": "10",
}


def row(**cells: str) -> RawRow:
    return screened([{**RAW, **cells}], set())[0]


@pytest.mark.parametrize(
    ("source", "raw", "network", "match"),
    [
        ("ncnn-bench", "squeezenet_int8", "squeezenet1_1", "exact"),
        ("ncnn-bench", "shufflenet", "shufflenet_v1_g3", "exact"),
        ("ncnn-bench", "googlenet", "googlenet", "close"),
        ("torch2trt-readme", "alexnet", "alexnet", "exact"),
        (
            "tflite-hosted-models",
            "Mobilenet_V1_0.50_160_quant",
            "mobilenetv1_100:width=0.5",
            "exact",
        ),
        ("tf-to-trt-tx2", "mobilenet_v1_0p25_128", "mobilenetv1_100:width=0.25", "exact"),
        ("paddleclas-docs", "MobileNetV2_x0_25", "mobilenetv2_100:width=0.25", "exact"),
        (
            "paddleclas-docs",
            "MobileNetV3_large_x1_25",
            "mobilenetv3_large_100:width=1.25",
            "close",
        ),
        ("vitis-ai-model-zoo", "tf_inceptionv1_imagenet_224_224_3G", "googlenet", "close"),
    ],
)
def test_source_names_become_catalog_names(source: str, raw: str, network: str, match: str) -> None:
    assert catalog_name(source, raw) == (network, match)


def test_pruned_networks_have_no_catalog_name() -> None:
    pruned = "tf_inceptionv1_imagenet_224_224_0.16_2.52G"
    assert catalog_name("vitis-ai-model-zoo", pruned) is None


def test_timm_name_of_the_source_is_kept() -> None:
    assert row(timm_name="resnet18").network == "resnet18"


def test_one_name_for_two_machines_is_split_by_chip() -> None:
    laptop = {**RAW, "device_id": "macbook-pro"}
    assert device_of({**laptop, "chip": "MacBook Pro (13-inch, M1, 2020)"}) == "macbook-pro-m1"
    assert device_of({**laptop, "chip": "2.6GHz six cores Intel Core i7"}) == "macbook-pro-intel"


def test_little_cores_are_a_variant() -> None:
    assert row(runtime_opts="benchncnn num_threads=4 powersave=1").variant == "little cores"
    assert row(runtime_opts="benchncnn num_threads=4 powersave=2").variant == ""


def test_mean_far_above_minimum_is_noisy() -> None:
    assert "noisy-mean" in row(latency_min_ms="6").slugs
    assert "noisy-mean" not in row(latency_min_ms="9").slugs


def test_latency_and_throughput_have_to_agree() -> None:
    assert "throughput-disagrees" in row(throughput_ips="120").slugs
    assert "swapped-columns" in row(throughput_ips="10").slugs
    assert not {"throughput-disagrees", "swapped-columns"} & row(throughput_ips="100").slugs


def test_fp16_on_a_core_without_fp16_arithmetic_is_flagged() -> None:
    assert "fp16-weights-only" in row(chip="Cortex-A72", precision="fp16").slugs
    assert "fp16-weights-only" not in row(chip="Cortex-A76", precision="fp16").slugs


def test_precision_that_the_unit_lacks_is_left_out() -> None:
    raw = {**RAW, "unit": "gpu", "precision": "int8"}
    (only,) = screened([raw], {("board", "gpu", "int8")})
    assert "precision-not-supported" in only.slugs


def test_gpu_figures_of_timm_are_bulk() -> None:
    assert "bulk-batch" in row(source="timm-benchmark", unit="gpu", batch="256").slugs
    assert "bulk-batch" not in row(source="timm-benchmark", unit="cpu").slugs


def test_reprint_counts_once() -> None:
    table = {**RAW, "source": "starnet-readme"}
    first, second = screened([table, {**table, "source": "starnet"}], set())
    assert "reprint" not in first.slugs
    assert "reprint" in second.slugs


def test_heavy_network_in_no_time_is_a_failed_run() -> None:
    light = {**RAW, "timm_name": "mobilenetv1_100", "latency_ms": "9"}
    heavy = {**RAW, "timm_name": "vgg16", "latency_ms": "0.5"}
    first, second = screened([light, heavy], set())
    assert "failed-run" not in first.slugs
    assert "failed-run" in second.slugs


def test_rows_of_a_cell_that_disagree_are_doubted() -> None:
    times = ("10", "10.5", "30")
    rows = screened([{**RAW, "latency_ms": time} for time in times], set())
    assert ["row-disagrees" in one.slugs for one in rows] == [False, False, True]


def test_older_run_gives_way_where_the_later_one_contradicts_it() -> None:
    old = {**RAW, "source": "torch2trt-bench", "notes": "older run", "latency_ms": "33"}
    new = {**RAW, "source": "torch2trt-readme", "latency_ms": "11"}
    first, second = screened([old, new], set())
    assert "superseded" in first.slugs
    assert "superseded" not in second.slugs


def test_row_that_two_others_refute_is_outvoted() -> None:
    times = ("10", "10.5", "600")
    rows = screened([{**RAW, "latency_ms": time} for time in times], set())
    assert ["outvoted" in one.slugs for one in rows] == [False, False, True]


def test_campaigns_in_the_catalog_are_imported_with_the_published_tables(tmp_path: Path) -> None:
    raw, out = tmp_path / "raw", tmp_path / "catalog"
    for folder, row in (
        (raw / "measurements", RAW),
        (out / "campaigns", {**RAW, "device_id": "own-machine"}),
    ):
        folder.mkdir(parents=True)
        with (folder / "a.csv").open("w", newline="") as stream:
            writer = csv.DictWriter(stream, RAW_COLUMNS)
            writer.writeheader()
            writer.writerow(row)
    (raw / "devices.csv").write_text("device_id,unit,supports_fp16,supports_int8\n")
    import_measurements(raw, out)
    assert {path.stem for path in (out / "measurements").iterdir()} == {"board", "own-machine"}


def test_import_is_deterministic(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    (raw / "measurements").mkdir(parents=True)
    with (raw / "measurements" / "a.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, RAW_COLUMNS)
        writer.writeheader()
        writer.writerows([RAW, {**RAW, "latency_ms": "11"}])
    (raw / "devices.csv").write_text("device_id,unit,supports_fp16,supports_int8\n")
    written = []
    for name in ("one", "two"):
        import_measurements(raw, tmp_path / name)
        written.append((tmp_path / name / "measurements" / "board.csv").read_bytes())
    assert written[0] == written[1]
    assert written[0].count(b"\n") == 3
