"""What is exported builds the network that was priced."""

import random
from pathlib import Path

import pytest
import torch
import yaml
from torch import nn

from advisor.core.candidate import Candidate
from advisor.networks.counting import count
from advisor.networks.pricing.prices import price_one
from advisor.studies.export import export, file_stem, python_source
from advisor.studies.families import families, family
from advisor.studies.training import training_compute

VARIANT = Candidate.parse("mobilenetv2_100@192:width=0.75")


def rebuilt(candidate: Candidate) -> nn.Module:
    namespace: dict[str, object] = {"__name__": "exported"}
    exec(compile(python_source(candidate), "exported.py", "exec"), namespace)
    build = namespace["build"]
    assert callable(build)
    with torch.device("meta"):
        network = build()
    assert isinstance(network, nn.Module)
    return network


@pytest.mark.parametrize("name", families())
def test_exported_python_builds_exactly_the_priced_network(name: str) -> None:
    for candidate in family(name).sample(random.Random(11), 2):
        priced = price_one(candidate)
        counted = count(rebuilt(candidate), name=candidate.network, resolution=priced.resolution)
        assert counted == priced


def test_yaml_holds_the_counts_and_the_recipe(tmp_path: Path) -> None:
    files = export(VARIANT, tmp_path, recipe="tf-slim-MobileNetV2")
    document = yaml.safe_load(files[0].read_text(encoding="utf-8"))
    assert document["macs"] == price_one(VARIANT).macs
    assert document["axes"] == {"width": 0.75}
    assert document["recipe"] == "tf-slim-MobileNetV2"


def test_measure_command_names_the_candidate(tmp_path: Path) -> None:
    files = export(VARIANT, tmp_path, lane="--runtime onnxruntime")
    command = "advisor measure 'mobilenetv2_100@192:width=0.75' --runtime onnxruntime\n"
    assert files[2].read_text(encoding="utf-8").endswith(command)


def test_onnx_is_written_by_what_is_handed_in(tmp_path: Path) -> None:
    def note(candidate: Candidate, side: int, path: Path) -> None:
        path.write_text(f"{candidate.name} {side}")

    files = export(VARIANT, tmp_path, to_onnx=note)
    assert files[3].read_text() == "mobilenetv2_100@192:width=0.75 192"


def test_file_names_have_no_special_characters() -> None:
    assert file_stem(VARIANT) == "mobilenetv2_100-192-width0_75"


def test_training_is_three_forward_passes_of_each_image_of_each_epoch() -> None:
    cost = training_compute(family("resnet"), 1e9, epochs=2, images=100)
    assert cost.macs == 2 * 100 * 1e9 * 3
    assert cost.hours(1e9) == pytest.approx(600 / 3600)


def test_training_says_when_the_epochs_are_assumed() -> None:
    assert "assumed" in training_compute(family("mobilenetv2"), 3e8).basis
