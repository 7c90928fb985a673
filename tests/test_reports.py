"""Reports in text formats: what a reader or a script finds in them."""

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from advisor.core.document import Recommendation
from advisor.core.quantity import Metric
from advisor.errors import UsageError
from advisor.files.saving import save
from advisor.reports import Layout, check_outputs, format_of, render, write_file, writer
from advisor.reports.decision import decide
from advisor.reports.json import parse, read_recommendation, schema
from advisor.reports.wording import training_words
from tests.documents import (
    entry,
    estimates,
    figure,
    infeasible,
    recommendation,
    search_record,
)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_importing_reports_loads_neither_jinja2_nor_rich() -> None:
    code = "import sys, advisor.reports; print([m for m in ('jinja2', 'rich') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_unknown_format_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'json'"):
        writer("jsn")


def test_suffix_picks_the_format() -> None:
    assert format_of(Path("a.JSON")) == "json"
    assert format_of(Path("report.md")) == "markdown"


def test_unknown_suffix_lists_the_allowed_ones() -> None:
    with pytest.raises(UsageError, match=r"\.docx.*allowed: \.json"):
        format_of(Path("a.docx"))


def test_missing_folder_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        check_outputs([tmp_path / "none" / "a.json"])


def test_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(UsageError):
        write_file(recommendation().request, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_saving_keeps_the_permissions_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(0o640)
    save(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640


def test_json_reads_back_equal(tmp_path: Path) -> None:
    document = recommendation()
    write_file(document, tmp_path / "a.json")
    assert read_recommendation(tmp_path / "a.json") == document


def test_json_keeps_to_its_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    for document, kind in ((recommendation(), "recommendation"), (estimates(), "estimates")):
        jsonschema.validate(json.loads(render(document, "json")), schema(kind))


def test_invalid_stored_result_names_file_and_field() -> None:
    text = render(recommendation(1), "json").replace('"considered": 1', '"considered": "many"')
    with pytest.raises(UsageError, match=r"old\.json: field 'considered'"):
        parse(text, "old.json")


def test_stored_result_of_another_kind_is_refused() -> None:
    with pytest.raises(
        UsageError, match="'kind' is 'novel'; allowed: recommendation, estimates, procurement"
    ):
        parse('{"kind": "novel"}', "x.json")


@pytest.mark.parametrize("width", [80, 100, 140])
def test_table_keeps_to_its_width(width: int) -> None:
    text = render(recommendation(), "table", Layout(width=width))
    assert max(map(len, text.splitlines())) <= width


def test_table_off_a_terminal_is_plain() -> None:
    assert "\x1b" not in render(recommendation(), "table")


def test_table_on_a_terminal_is_coloured() -> None:
    assert "\x1b[" in render(recommendation(), "table", Layout(color=True))


def test_table_leads_with_the_decision() -> None:
    document = recommendation()
    assert render(document, "table").startswith(f"Use {document.ranked[0].candidate}\n")


def test_table_shows_interval_origin_and_verdict() -> None:
    text = render(recommendation(), "table", Layout(width=160))
    line = next(x for x in text.splitlines() if x.startswith(" 1 "))
    assert "6.41 ms[1] 5.77–7.06 ms" in line
    assert "published" in line
    assert "met >99% ◆" in line


def test_table_cuts_to_the_asked_number_of_models() -> None:
    document = recommendation()
    short = document.model_copy(
        update={"request": document.request.model_copy(update={"top": 3})},
    )
    assert " 4  " not in render(short, "table")


def test_caveats_are_footnotes_told_once() -> None:
    text = render(recommendation(), "table")
    assert text.count("power mode not stated") == 1


def test_only_what_is_printed_has_footnotes() -> None:
    """The nearest misses are not printed beside models that keep the limits, nor their caveats."""
    answer = recommendation()
    alone = {
        metric: replace(one, caveats=("told of a miss alone",))
        for metric, one in answer.rejected[0].metrics.items()
    }
    miss = replace(answer.rejected[0], metrics=alone)
    text = render(replace(answer, rejected=(miss, *answer.rejected[1:])), "table")
    assert "told of a miss alone" not in text
    assert "power mode not stated" in text


def test_without_a_feasible_model_the_nearest_misses_are_shown() -> None:
    text = render(infeasible(), "table")
    assert text.startswith("No model meets the limits")
    assert "Nearest misses" in text
    assert "raise the limit on latency from 1.00 ms to 2.20 ms" in text


def test_uncertain_models_come_with_the_command_that_settles_them() -> None:
    document = recommendation()
    only = document.model_copy(update={"ranked": ()})
    assert f"run: {document.uncertain[0].settle}" in render(only, "table", Layout(width=200))


def test_missing_figure_is_a_dash_not_a_zero() -> None:
    table = render(estimates(), "table", Layout(width=140))
    line = next(x for x in table.splitlines() if x.startswith("mystery_net"))
    assert line.split() == ["mystery_net", "fp16", "–", "–", "–", "–", "–", "–"]


def test_markup_in_a_name_is_shown_as_it_is() -> None:
    document = recommendation(1, ranked=(entry("net[bold]|x", 0.002, 0.7),))
    assert "net[bold]|x" in render(document, "table")
    assert "net\\[bold\\]\\|x" in render(document, "markdown")


def test_csv_holds_every_candidate_once() -> None:
    document = recommendation()
    names = [row["candidate"] for row in rows(render(document, "csv"))]
    assert len(names) == len(set(names)) == document.considered


def test_csv_figures_equal_the_documents() -> None:
    document = recommendation()
    first = rows(render(document, "csv"))[0]
    figure = document.ranked[0].metrics[Metric.LATENCY]
    assert float(first["latency_ms"]) == pytest.approx(1e3 * figure.value, rel=1e-11)
    assert float(first["latency_high_ms"]) == pytest.approx(1e3 * figure.high, rel=1e-11)
    assert first["latency_origin"] == figure.origin


def test_csv_of_estimates_has_the_columns_of_a_table_of_questions() -> None:
    first, _, last = rows(render(estimates(), "csv"))
    assert list(first)[:8] == [
        "device_id",
        "unit",
        "runtime",
        "precision",
        "threads",
        "batch",
        "timm_name",
        "input_h",
    ]
    assert first["unit"] == "gpu"
    assert last["latency_ms"] == ""
    assert last["reason"] == "the network cannot be built"


def test_markdown_tables_have_as_many_cells_as_columns() -> None:
    for document in (recommendation(), infeasible(), estimates()):
        tables = [x for x in render(document, "markdown").splitlines() if x.startswith("|")]
        heads = [i for i, line in enumerate(tables) if line.startswith(("| ---", "| ---:"))]
        for start, end in zip(heads, [*heads[1:], len(tables) + 1], strict=True):
            assert len({line.count("|") for line in tables[start - 1 : end - 1]}) == 1


def test_every_format_answers_without_candidates() -> None:
    empty = Recommendation.model_validate(
        recommendation(0).model_dump() | {"ranked": (), "uncertain": (), "rejected": ()}
    )
    for name in ("table", "csv", "markdown", "json", "html"):
        assert render(empty, name)


@pytest.mark.parametrize("width", [80, 100, 140])
def test_a_table_with_many_wide_figures_still_names_its_models(width: int) -> None:
    document = estimates(("resnet18.a1_in1k", "resnet50.a1_in1k", "resnet101.a1_in1k"))
    wide = [
        item.model_copy(
            update={
                "metrics": {
                    m: f.model_copy(update={"low": 0.9 * f.value, "high": 1.1 * f.value})
                    for m, f in item.metrics.items()
                }
            }
        )
        for item in document.estimates
    ]
    text = render(
        document.model_copy(update={"estimates": tuple(wide)}), "table", Layout(width=width)
    )
    assert max(map(len, text.splitlines())) <= width
    assert "resnet101" in text
    assert "predicted" in text


def test_one_estimate_shows_the_source_of_every_figure() -> None:
    document = estimates(("resnet18.a1_in1k",))
    single = document.model_copy(update={"estimates": document.estimates[:1]})
    text = render(single, "table", Layout(width=100))
    assert "predicted-source/1" in text
    assert "published-source/1" in text


def test_footnote_numbers_are_put_together() -> None:
    caveats = ("a", "b", "c")
    document = recommendation(1)
    first = document.ranked[0]
    latency = first.metrics[Metric.LATENCY].model_copy(update={"caveats": caveats})
    item = first.model_copy(update={"metrics": first.metrics | {Metric.LATENCY: latency}})
    text = render(document.model_copy(update={"ranked": (item,)}), "table")
    assert "[1–3]" in text


def test_a_value_whose_interval_spans_a_factor_of_a_hundred_is_not_known() -> None:
    wide = figure(Metric.PEAK_MEMORY, 27.8e6).model_copy(
        update={"low": 4.56e6, "high": 517e6, "level": 0.9}
    )
    item = entry("net", 0.004, 0.7, rank=1)
    item = item.model_copy(update={"metrics": {**item.metrics, Metric.PEAK_MEMORY: wide}})
    document = recommendation(0, ranked=(item,), uncertain=(), rejected=())
    text = render(document, "html")
    assert "27.8 MB" not in text
    assert '<span class="gap">not known</span><span class="interval">4.56–517 MB</span>' in text
    table = render(document, "table", Layout(width=100))
    assert "not known" in table
    assert "4.56–517 MB" in table


def test_training_data_is_spelled_in_words() -> None:
    text = training_words("merged38m->in22k->in1k")
    assert text == "38 million images of several data sets, then ImageNet-22k, then ImageNet-1k"


def test_what_a_search_found_is_one_sentence() -> None:
    document = recommendation(search=search_record())
    sentences = [s for s in decide(document).sentences if s.startswith("Search found")]
    assert len(sentences) == 1
