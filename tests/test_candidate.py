"""Candidates as they are spelled on the command line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@given(
    st.builds(
        Candidate,
        architecture=st.from_regex(r"[a-z][a-z0-9_-]*", fullmatch=True),
        tag=st.none() | st.from_regex(r"[a-z][a-z0-9_-]*", fullmatch=True),
        resolution=st.none() | st.integers(8, 2048),
        axes=st.dictionaries(
            st.from_regex(r"[a-z][a-z0-9_]*", fullmatch=True), st.floats(0, 1e6), max_size=3
        ).map(lambda axes: tuple(sorted(axes.items()))),
    )
)
@settings(deadline=None)
def test_a_candidate_reads_back_from_its_name(candidate: Candidate) -> None:
    assert Candidate.parse(candidate.name) == candidate


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ("width=nan", "out of range"),
        ("width=inf", "out of range"),
        ("width=1,width=2", "appears twice"),
    ],
)
def test_multipliers_are_finite_and_stated_once(axes: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Candidate.parse(f"mobilenetv2_100:{axes}")
