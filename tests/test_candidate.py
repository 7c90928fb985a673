"""Candidates as they are spelled on the command line."""

import pytest

from advisor.core.candidate import Candidate
from advisor.errors import UsageError


@pytest.mark.parametrize(
    "spelling",
    [
        "resnet18",
        "mobilenetv2_100.ra_in1k",
        "mobilenetv2_100@192",
        "mobilenetv2_100@192:width=0.75",
        "efficientnet_b0:phi=1.5",
        "resnet50.a1_in1k@288:depth=0.5,width=1.25",
    ],
)
def test_a_spelling_reads_back_as_itself(spelling: str) -> None:
    assert Candidate.parse(spelling).name == spelling


def test_the_parts_of_a_spelling_are_told_apart() -> None:
    candidate = Candidate.parse("mobilenetv2_100.ra_in1k@192:width=0.75")
    assert candidate.architecture == "mobilenetv2_100"
    assert candidate.tag == "ra_in1k"
    assert candidate.resolution == 192
    assert candidate.axis("width") == 0.75


def test_a_variant_needs_training_and_a_stock_network_does_not() -> None:
    assert Candidate.parse("mobilenetv2_100:width=0.75").needs_training
    assert not Candidate.parse("mobilenetv2_100@192").needs_training


def test_the_network_leaves_out_weights_and_input() -> None:
    assert Candidate.parse("mobilenetv2_100.ra_in1k@192:width=0.75").network == (
        "mobilenetv2_100:width=0.75"
    )


@pytest.mark.parametrize("text", ["", "a b", "resnet18@", "resnet18:width", "resnet18:width=wide"])
def test_what_is_no_candidate_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(UsageError, match="ARCH"):
        Candidate.parse(text)


def test_an_input_beyond_reason_is_refused() -> None:
    with pytest.raises(UsageError, match="8 to 2048"):
        Candidate.parse("resnet18@100000")
