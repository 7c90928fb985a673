"""``advisor procure``: from the command line to exit codes and files, on shipped evidence."""

import json
from pathlib import Path

import pytest

from advisor.cli.main import run

LIMITS = ("--max-latency", "50ms", "--min-top1", "60%", "--models", "mobilenet*,resnet18*")
PURCHASE = ("--quantity", "100", "--years", "3", "--duty-cycle", "40%", "--tariff", "0.30USD/kWh")


def procure(*arguments: str, devices: str = "jetson-nano,raspberry-pi-5") -> int:
    return run(["procure", "--devices", devices, *LIMITS, *PURCHASE, *arguments])


def test_a_review_is_written_in_every_format(tmp_path: Path) -> None:
    files = [tmp_path / f"review{suffix}" for suffix in (".html", ".json", ".xlsx", ".csv", ".md")]
    assert procure(*(word for path in files for word in ("-o", str(path)))) == 0
    assert all(path.stat().st_size > 500 for path in files)


def test_unknown_prices_and_powers_are_none_and_never_zero(tmp_path: Path) -> None:
    six = "jetson-nano,jetson-orin-nano,raspberry-pi-5,coral-usb-accelerator,hailo-8l,galaxy-s25"
    procure("-o", str(tmp_path / "r.json"), devices=six)
    document = json.loads((tmp_path / "r.json").read_text())
    found = {device["device"]: device for device in document["devices"]}
    assert len(found) == 6
    for device in found.values():
        for name in ("price", "power", "total", "speed", "efficiency"):
            amount = device[name]
            assert amount["value"] != 0
            assert (amount["value"] is None) == bool(amount["reason"])
    assert found["galaxy-s25"]["power"]["value"] is None
    assert found["coral-usb-accelerator"]["total"]["value"] is None


def test_the_command_in_the_review_gives_it_again(tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    procure("-o", str(first))
    command = json.loads(first.read_text())["command"].split()[1:]
    run([word.strip("'") for word in command] + ["-o", str(second)])
    one, other = json.loads(first.read_text()), json.loads(second.read_text())
    assert one["command"] == other["command"]
    assert one["matrix"] == other["matrix"]


def test_limits_that_no_device_meets_exit_with_three() -> None:
    assert procure("--min-top1", "99%") == 3


def test_stale_prices_are_refused_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert procure("--no-stale") == 4
    assert "raspberry-pi-5 (2026-04-01)" in capsys.readouterr().err


def test_a_tariff_in_another_currency_needs_a_rate(capsys: pytest.CaptureFixture[str]) -> None:
    assert procure("--tariff", "0.30EUR/kWh", "--currency", "USD") == 2
    assert "--fx EUR=RATE" in capsys.readouterr().err


def test_where_all_is_stated_in_one_currency_prices_in_another_stay_unknown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert procure("--tariff", "0.30EUR/kWh") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "published in USD; give --fx EUR=RATE" in shown
    assert "whose cost is unknown" in shown


def test_an_unknown_device_is_refused_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert procure(devices="jetson-nanoo") == 2
    assert "did you mean 'jetson-nano'" in capsys.readouterr().err


def test_a_template_of_assumptions_can_be_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    assert run(["procure", "--write-assumptions", str(path)]) == 0
    text = path.read_text().replace(
        "devices: {}", "devices: {jetson-nano: {price: {price: 5 USD}}}"
    )
    path.write_text(text)
    assert procure("--assumptions", str(path), "-o", str(tmp_path / "r.json")) == 0
    device = json.loads((tmp_path / "r.json").read_text())["devices"][0]
    assert device["price"]["value"] == 5
    assert device["price"]["origin"] == "assumed"


def test_workloads_of_the_file_have_to_share_a_device(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "workloads:\n"
        "- {name: door, rate: 5/s, limits: {max-latency: 50ms}, models: ['mobilenet*']}\n"
        "- {name: gate, rate: 2/s, limits: {min-top1: 65%}, models: ['resnet18*']}\n"
    )
    assert procure("--assumptions", str(path), "-o", str(tmp_path / "r.json")) == 0
    found = json.loads((tmp_path / "r.json").read_text())["devices"][1]["portfolio"]
    assert [share["workload"] for share in found["shares"]] == ["door", "gate"]
    assert found["verdict"] in ("met", "uncertain", "unknown", "violated")


def test_a_wrong_limit_of_a_workload_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("workloads: [{name: door, rate: 5/s, limits: {max-latencyy: 50ms}}]\n")
    assert procure("--assumptions", str(path)) == 2
    assert "max-latency" in capsys.readouterr().err
