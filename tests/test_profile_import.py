"""Profiles are built from raw tables by rule, the same way each time."""

import csv
from pathlib import Path

import pytest

from advisor.catalog.intake.profiles import facts
from advisor.catalog.intake.profiles.writing import import_profiles
from advisor.errors import CatalogError
from advisor.hardware.library import read_profile

FIGURES = (
    "device_id name vendor unit unit_name cores clock_ghz peak_gflops_fp32 peak_gflops_fp16"
    " peak_gops_int8 mem_bandwidth_gbs memory_gb on_chip_sram_mb supports_fp16 supports_int8"
    " power_modes tdp_w_or_typical_w idle_w launch_price_usd price_note lifecycle runtimes"
    " source_ref confidence int8_path recent_price_usd recent_price_date conf_compute conf_memory"
    " conf_power conf_price conf_lifecycle notes"
)
MEASURED = (
    "source source_ref date device device_id chip unit runtime runtime_opts precision threads"
    " model_raw timm_name match input_h input_w batch latency_ms latency_min_ms latency_max_ms"
    " throughput_ips power_w energy_mj memory_mb top1 top5 notes"
)


def table(path: Path, columns: str, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns.split(), restval="")
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    board = {
        "device_id": "board", "name": "Board", "vendor": "Vendor", "unit": "gpu",
        "unit_name": "Maxwell 128 CUDA cores", "peak_gflops_fp32": "100", "memory_gb": "4 shared",
        "supports_fp16": "yes", "supports_int8": "no", "int8_path": "none",
        "runtimes": "tensorrt (<=8.2);ncnn-vulkan", "conf_compute": "high", "conf_memory": "low",
        "source_ref": "compute: data sheet | memory: from general knowledge",
    }  # fmt: skip
    run = {
        "source": "bench", "device": "Board", "device_id": "board", "chip": "Tegra X1",
        "unit": "gpu", "runtime": "tensorrt", "precision": "fp16", "model_raw": "resnet18",
        "timm_name": "resnet18", "match": "exact", "input_h": "224", "input_w": "224",
        "batch": "1", "latency_ms": "10", "date": "2020-01", "source_ref": "a/b@c:d",
    }  # fmt: skip
    table(tmp_path / "devices.csv", FIGURES, [board])
    table(tmp_path / "measurements" / "bench.csv", MEASURED, [run])
    return tmp_path


def test_an_import_can_be_read_back(raw: Path, tmp_path: Path) -> None:
    assert import_profiles(raw, tmp_path / "out") == 1
    profile = read_profile(tmp_path / "out" / "board.yaml")
    assert profile.chip == "Tegra X1"
    assert profile.default_lane.name == "gpu tensorrt fp16 batch 1"
    assert profile.units[0].runtime_limits == (("tensorrt", "<=8.2"),)
    assert profile.units[0].reason_against("int8") == "no int8 arithmetic on the Maxwell GPU"


def test_two_imports_give_the_same_bytes(raw: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        import_profiles(raw, tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_profiles_that_the_tables_no_longer_hold_are_removed(raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "gone.yaml").write_text("")
    import_profiles(raw, out)
    assert not (out / "gone.yaml").exists()


def test_machines_of_own_campaigns_keep_their_profiles(raw: Path, tmp_path: Path) -> None:
    out, campaigns = tmp_path / "out", tmp_path / "campaigns"
    campaigns.mkdir()
    (campaigns / "own.yaml").write_text(
        "id: own\nname: Own\nunits:\n- {kind: cpu, name: C, runtimes: [ncnn], source: hand, "
        "confidence: high, runtimes_source: hand}\n"
        "default_lane: {unit: cpu, runtime: ncnn, precision: fp32, threads: 1}\n"
    )
    assert import_profiles(raw, out, campaigns) == 2
    assert read_profile(out / "own.yaml").name == "Own"
    assert "own," in (out / "index.csv").read_text()


def test_a_folder_without_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"devices\.csv"):
        import_profiles(tmp_path, tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4 shared", {"capacity_gb": 4, "shared": True}),
        ("4-8 shared", {"capacity_gb": 4, "capacity_max_gb": 8, "shared": True}),
        ("up to 64 DDR5-4800", {"capacity_max_gb": 64}),
        ("8 DDR4 + 8 LPDDR4", {"capacity_gb": 16}),
        ("0.0042 on-chip + 0.032 external HyperRAM", {"capacity_gb": 0.032}),
        ("0 (no DRAM)", {}),
        ("24 dedicated", {"capacity_gb": 24, "shared": False}),
        ("shared", {"shared": True}),
    ],
)
def test_memory_is_read_by_rule(text: str, expected: dict[str, object]) -> None:
    assert facts.memory(text) == expected


def test_a_lifecycle_keeps_dates_with_what_they_are_of() -> None:
    text = "EOL announced 2026 for LPDDR4 parts: AGX Xavier Industrial last time buy 2026-07-15"
    found = facts.lifecycle(text)
    assert found["status"] == "eol_announced"
    assert found["events"][-1] == {
        "event": "last_time_buy",
        "date": "2026-07-15",
        "item": "AGX Xavier Industrial",
    }


def test_a_date_before_which_a_price_held_is_not_its_date() -> None:
    note = "developer kit (MSRP before 2026-07); $3,499 from 2026-07-21"
    cell = {"price_note": note, "launch_price_usd": "1999"}
    empty = {"recent_price_usd": "", "recent_price_date": ""}
    assert "date" not in facts.prices({**cell, **empty})["launch"]


def test_runtimes_are_named_as_in_measurements() -> None:
    names, limits = facts.runtimes("tensorrt (<=8.2);ncnn-vulkan;tflite (edgetpu delegate)")
    assert names == ["tensorrt", "ncnn", "edgetpu"]
    assert limits == {"tensorrt": "<=8.2"}
