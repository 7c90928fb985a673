"""The ledger of the import: nothing is lost, nothing is left out without a reason."""

from pathlib import Path
from statistics import median

import pytest

from advisor.catalog.caveats import CAVEATS, Gravity
from advisor.catalog.intake.ledger import last_added, ledger, raw_files
from advisor.catalog.measurements import Measurement, caveat_texts, read_all
from advisor.core.candidate import Candidate
from advisor.core.lane import Lane
from advisor.core.workload_table import read
from advisor.hardware.cores import core_rate
from advisor.hardware.library import profile_library

ROOT = Path(__file__).parents[1] / "catalog"


@pytest.fixture(scope="module")
def rows() -> list[Measurement]:
    return [row for device in read_all(ROOT).values() for row in device]


def test_every_raw_measurement_is_in_the_catalog(rows: list[Measurement]) -> None:
    figures = ("measurements/", "campaigns/")
    added = sum(one.rows for one in raw_files(ROOT) if one.file.startswith(figures))
    assert len(rows) == sum(line.total for line in ledger(ROOT)) == added > 35_000


def test_every_raw_file_is_known_by_its_hash() -> None:
    assert all(len(one.sha256) == 64 for one in raw_files(ROOT))


def test_the_last_added_publications_are_those_of_the_last_day(tmp_path: Path) -> None:
    ledger_file = tmp_path / "imports.csv"
    ledger_file.write_text(
        "file,rows,sha256,added\nmeasurements/a.csv,1,x,2026-01-02\nmeasurements/b.csv,1,x,2026-02-01\n"
    )
    assert last_added(tmp_path) == {"b"}


def test_none_is_the_last_where_all_were_added_at_once(tmp_path: Path) -> None:
    (tmp_path / "imports.csv").write_text("file,rows,sha256\nmeasurements/a.csv,1,x\n")
    assert last_added(tmp_path) == frozenset()


def test_no_thread_count_that_was_inferred_beats_its_cores(rows: list[Measurement]) -> None:
    """In the middle of a lane's rows: single ones are wrong in the time, not in the threads."""
    library, counts = profile_library(), read(ROOT)
    shares: dict[Lane, list[float]] = {}
    for row in rows:
        place = counts.index.get((row.network, row.resolution or 0))
        unit = library.load(row.lane.device).unit(row.lane.unit)
        rate = core_rate(unit, row.lane.precision) if unit else None
        if "threads-inferred" in row.caveats and place is not None and rate and row.latency:
            done = 2 * float(counts.macs[place]) / row.latency
            shares.setdefault(row.lane, []).append(done / (rate * (row.lane.threads or 0)))
    assert len(shares) > 30
    assert max(median(of_lane) for of_lane in shares.values()) < 1


def test_every_row_has_status_source_and_reference(rows: list[Measurement]) -> None:
    assert {row.status for row in rows} == {"kept", "caveat", "left_out"}
    assert all(row.source and row.source_ref for row in rows)


def test_status_follows_from_the_caveats(rows: list[Measurement]) -> None:
    for row in rows:
        gravities = {CAVEATS[slug].gravity for slug in row.caveats}
        assert (row.status == "left_out") == (Gravity.REASON in gravities)
        assert row.status != "kept" or Gravity.DOUBT not in gravities


def test_every_caveat_has_its_sentence() -> None:
    texts = caveat_texts(ROOT)
    assert texts == {slug: caveat.text for slug, caveat in CAVEATS.items()}
    assert all(text.endswith(".") for text in texts.values())


def test_every_network_is_spelled_as_a_candidate(rows: list[Measurement]) -> None:
    for network in {row.network for row in rows if row.network}:
        assert Candidate.parse(network).network == network


def test_rows_without_a_network_say_so(rows: list[Measurement]) -> None:
    assert all(("unmatched" in row.caveats) == (not row.network) for row in rows)


def test_only_a_few_figures_are_left_out() -> None:
    lines = ledger(ROOT)
    assert 0 < sum(line.left_out for line in lines) < 0.03 * sum(line.total for line in lines)
    assert all(line.reasons for line in lines if line.left_out)
