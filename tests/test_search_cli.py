"""``advisor search`` and what it hands out, on the shipped evidence."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
import torch

from advisor.core.candidate import Candidate
from advisor.networks.counting import count
from tests.terminal import ask

Capture = pytest.CaptureFixture[str]
NANO = ("--device", "jetson-nano", "--max-latency", "10ms")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))


def searched(capsys: Capture, *argv: str) -> dict[str, Any]:
    answer = ask(capsys, "search", "--family", "mobilenetv2", *argv, "--format", "json")
    assert answer.code in (0, 3), answer.err
    document: dict[str, Any] = json.loads(answer.out)
    return document


def test_every_searched_variant_keeps_the_limit_and_needs_training(capsys: Capture) -> None:
    document = searched(capsys, *NANO, "--trials", "60")
    assert document["considered"] == 60
    assert document["ranked"]
    for entry in document["ranked"]:
        assert entry["probability"] >= 0.9
        assert entry["needs_training"]
        assert entry["recipe"] == "tf-slim-MobileNetV2"


def test_families_and_objectives_may_be_lists_in_a_request_file(
    capsys: Capture, tmp_path: Path
) -> None:
    request = tmp_path / "request.yaml"
    request.write_text(
        "family: [resnet, mobilenetv2]\nobjective: [top1, latency]\ndevice: jetson-nano\n"
        "max-latency: 10ms\ntrials: 40\nformat: json\n"
    )
    from_file = json.loads(ask(capsys, "search", "--config", str(request)).out)
    families = ("--family", "resnet", "--family", "mobilenetv2", "--objective", "top1,latency")
    from_options = ask(capsys, "search", *families, *NANO, "--trials", "40", "--format", "json")
    assert from_file["ranked"] == json.loads(from_options.out)["ranked"]


def test_nothing_feasible_gives_the_nearest_misses_and_exit_3(capsys: Capture) -> None:
    limit = ("--device", "jetson-nano", "--max-latency", "0.01ms")
    answer = ask(
        capsys, "search", "--family", "mobilenetv2", *limit, "--trials", "30", "--format", "json"
    )
    assert answer.code == 3
    assert json.loads(answer.out)["rejected"]


@pytest.mark.slow
def test_exported_variants_have_the_macs_they_were_priced_with(
    capsys: Capture, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    document = searched(capsys, *NANO, "--trials", "30", "--export", str(folder), "--top", "3")
    for entry in document["ranked"]:
        name = entry["candidate"]
        stem = name.replace("@", "-").replace(":", "-").replace("=", "")
        path = folder / (stem.replace(",", "-").replace(".", "_") + ".py")
        with torch.device("meta"):
            network = runpy.run_path(str(path))["build"]()
        counted = count(network, name=name, resolution=entry["resolution"])
        assert counted.macs == entry["metrics"]["macs"]["value"]
        assert counted.parameters == entry["metrics"]["parameters"]["value"]


def test_record_holds_trials_convergence_and_importances(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    searched(capsys, *NANO, "--trials", "60", "--record", str(path))
    record = json.loads(path.read_text(encoding="utf-8"))
    assert len(record["points"]) == 60
    assert record["convergence"][-1]["trials"] == 60
    assert set(record["importances"]["latency"]) == {"width", "depth", "resolution"}


def test_the_answer_tells_how_its_variants_were_found(capsys: Capture) -> None:
    answer = searched(capsys, *NANO, "--trials", "60")
    record = answer["search"]
    names = {entry["candidate"] for entry in answer["ranked"] + answer["uncertain"]}
    assert {variant["candidate"] for variant in record["variants"]} == names
    assert (record["trials"], record["points"]) == (60, [])


def test_resumed_search_adds_to_the_trials(capsys: Capture) -> None:
    searched(capsys, *NANO, "--trials", "30")
    assert searched(capsys, *NANO, "--trials", "50", "--resume")["considered"] == 50


def test_searching_again_begins_anew(capsys: Capture) -> None:
    first = searched(capsys, *NANO, "--trials", "30")
    again = searched(capsys, *NANO, "--trials", "30")
    assert [e["candidate"] for e in again["ranked"]] == [e["candidate"] for e in first["ranked"]]


def test_other_recipe_is_named_with_each_accuracy(capsys: Capture) -> None:
    document = searched(capsys, *NANO, "--trials", "30", "--recipe", "timm:ra_in1k")
    caveats = document["ranked"][0]["metrics"]["top1"]["caveats"]
    assert any("timm:ra_in1k" in text for text in caveats)


def test_list_names_every_family_with_its_axes(capsys: Capture) -> None:
    answer = ask(capsys, "search", "--list")
    assert answer.code == 0
    assert "once-for-all" in answer.out
    assert "phi: 0 to 7" in answer.out


def test_recipes_are_listed_by_family(capsys: Capture) -> None:
    answer = ask(capsys, "search", "--recipes")
    assert answer.code == 0
    assert "tf-slim-MobileNetV2" in answer.out


def test_family_has_to_be_named(capsys: Capture) -> None:
    answer = ask(capsys, "search", "--device", "jetson-nano")
    assert answer.code == 2
    assert "--list" in answer.err


def test_worker_needs_a_shared_storage(capsys: Capture) -> None:
    answer = ask(capsys, "search", "--family", "mobilenetv2", *NANO, "--worker")
    assert answer.code == 2
    assert "--storage" in answer.err


def test_names_of_variants_read_back(capsys: Capture) -> None:
    for entry in searched(capsys, *NANO, "--trials", "30")["ranked"]:
        assert Candidate.parse(entry["candidate"]).architecture == "mobilenetv2_100"
