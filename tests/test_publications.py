"""What a second publication of a cell says, and the interval that is made of it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from advisor.catalog.measurements import Cell
from advisor.catalog.published import PUBLICATIONS, _interval, read_quantiles
from advisor.core.lane import Lane
from advisor.errors import CatalogError
from advisor.estimators.fit.publications import Pairs, pairs_of
from tests.test_validation import row

CELL = Cell(
    lane=Lane(device="a", unit="cpu", runtime="r", precision="fp32"),
    network="resnet18",
    resolution=224,
    latency=1.0,
    seconds_per_image=1.0,
    spread=1.0,
    count=1,
    sources=("one",),
    source_refs=("ref",),
    newest="2024-01",
    match="exact",
    caveats=(),
)


def test_publications_of_a_cell_are_paired_and_repetitions_of_one_are_not() -> None:
    pairs = pairs_of([row(1.0, "a"), row(1.0, "a"), row(2.0, "b"), row(4.0, "c")])
    assert sorted(np.exp(pairs.ratios)) == pytest.approx([2.0, 2.0, 4.0])
    assert len(set(pairs.group)) == 3


def test_few_pairs_teach_nothing() -> None:
    pairs = Pairs(ratios=np.ones(3), group=np.array(["a", "b", "c"]))
    assert pairs.quantiles() is None
    assert pairs.held_out(0.9) is None


def test_nine_in_ten_second_publications_lie_inside_what_the_others_say() -> None:
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(60), 5).astype(np.str_)
    pairs = Pairs(ratios=np.abs(random.normal(0, 0.1, 300)), group=group)
    inside = pairs.held_out(0.9)
    assert inside is not None
    assert 0.85 < inside.mean() < 0.97


def test_an_interval_reaches_as_far_as_second_publications_do() -> None:
    learned = ((0.5, 0.9, 0.99), (0.1, float(np.log(2)), 1.0))
    found = _interval(3.0, CELL, 0.9, learned)
    assert (found.low, found.high) == pytest.approx((1.5, 6.0))


def test_a_network_that_is_only_close_is_less_sure() -> None:
    learned = ((0.5, 0.9, 0.99), (0.1, 0.2, 1.0))
    close = replace(CELL, match="close")
    assert _interval(3.0, close, 0.9, learned).high > _interval(3.0, CELL, 0.9, learned).high


def test_rows_of_a_cell_that_disagree_widen_it_to_half_their_spread() -> None:
    found = _interval(3.0, replace(CELL, spread=16.0), 0.9, None)
    assert found.high == pytest.approx(12.0)


def test_a_catalog_that_learned_nothing_falls_back_and_a_broken_file_says_which(
    tmp_path: Path,
) -> None:
    assert read_quantiles(tmp_path) is None
    (tmp_path / PUBLICATIONS).write_text(json.dumps({"log_ratio": None}))
    assert read_quantiles(tmp_path) is None
    (tmp_path / PUBLICATIONS).write_text("{")
    with pytest.raises(CatalogError, match=PUBLICATIONS):
        read_quantiles(tmp_path)
