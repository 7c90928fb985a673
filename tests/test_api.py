"""The Python API: the same words as the options, the same documents, the same errors."""

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import advisor
from advisor.cli.main import COMMANDS
from advisor.core.document import Recommendation
from advisor.errors import EvidenceError, UsageError
from tests.terminal import ask

ROOT = Path(__file__).parents[1]
LIMITS: dict[str, Any] = {"max_latency": "20ms", "min_top1": "60%", "models": "mobilenet*"}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADVISOR_HOME", str(tmp_path_factory.mktemp("home")))
        return advisor.recommend("jetson-nano", **LIMITS)


def test_importing_the_package_imports_nothing_else() -> None:
    code = (
        "import sys; import advisor; dir(advisor); "
        "sys.exit(bool({'numpy', 'pydantic', 'click', 'advisor.api'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_api_does_not_import_the_command_line() -> None:
    code = (
        "import sys; import advisor; advisor.devices('jetson'); "
        "sys.exit(any(name.startswith(('advisor.cli', 'click')) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_function_is_a_command_of_the_same_name() -> None:
    assert sorted(advisor.__all__) == advisor.__all__
    assert set(advisor.__all__) <= set(COMMANDS)
    assert set(advisor.__all__) <= set(dir(advisor))


def test_an_answer_is_the_document_that_the_command_line_prints(
    answer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = json.loads(
        ask(capsys, "recommend", "--device", "jetson-nano", "--max-latency", "20ms",
            "--min-top1", "60%", "--models", "mobilenet*", "--format", "json").out
    )  # fmt: skip
    given = json.loads(answer.model_dump_json())
    for document in (printed, given):
        del document["created"]
    assert given == printed
    assert isinstance(answer, Recommendation)


def test_every_option_is_a_keyword_with_its_help() -> None:
    keywords = inspect.signature(advisor.recommend).parameters
    assert {"device", "max_latency", "min_top1", "precision", "confidence", "config"} <= set(
        keywords
    )
    assert "for_" in inspect.signature(advisor.calibrate).parameters
    assert "max_latency: Most time of one batch, such as 10ms." in (advisor.recommend.__doc__ or "")


def test_records_are_rows_of_plain_values_in_si_units(answer: Any) -> None:
    rows = answer.to_records()
    assert len(rows) == answer.considered
    best = answer.ranked[0]
    assert rows[0]["candidate"] == best.candidate
    assert rows[0]["latency"] == best.metrics["latency"].value < 0.02
    assert rows[0]["latency_high"] == best.metrics["latency"].high
    assert {type(value) for value in rows[0].values()} <= {str, int, float, bool, type(None)}
    assert len({tuple(row) for row in rows}) == 1


def test_a_data_frame_has_the_records(answer: Any) -> None:
    pytest.importorskip("pandas")
    frame = answer.to_dataframe()
    assert len(frame) == answer.considered
    assert frame["latency"].iloc[0] == answer.ranked[0].metrics["latency"].value


def test_a_notebook_shows_the_first_models_and_no_markup_of_others(answer: Any) -> None:
    text = answer._repr_html_()
    assert answer.ranked[0].candidate in text
    assert text.count("<tr>") <= 11
    assert "<script" not in text


def test_an_answer_is_saved_in_the_format_of_the_suffix(answer: Any, tmp_path: Path) -> None:
    files = [tmp_path / f"report{suffix}" for suffix in (".html", ".json", ".csv", ".md")]
    answer.save(*files)
    best = answer.ranked[0].candidate
    assert all(best in path.read_text().replace("\\_", "_") for path in files)
    with pytest.raises(UsageError, match=r"\.docx"):
        answer.save(tmp_path / "report.docx")


def test_keywords_go_before_the_request_file(tmp_path: Path) -> None:
    request = tmp_path / "request.yaml"
    request.write_text(
        "device: raspberry-pi-4\nmax-latency: 10ms\nformat: json\nmodels: resnet18\n"
    )
    found = advisor.recommend("jetson-nano", config=request)
    assert found.lane.device == "jetson-nano"
    assert found.request.limits[0].bound == 0.01


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: advisor.recommend("jetson-nanoo"), UsageError, "did you mean 'jetson-nano'"),
        (lambda: advisor.recommend("jetson-nano", max_latency="10"), UsageError, "max_latency"),
        (lambda: advisor.recommend("jetson-nano", max_latncy="9ms"), UsageError, "max_latency"),
        (lambda: advisor.estimate("resnet19", "jetson-nano"), UsageError, "resnet18"),
        (lambda: advisor.recommend("zcu102", max_energy="5mJ"), EvidenceError, "power"),
    ],
)
def test_errors_are_those_of_the_command_line(
    call: Callable[[], object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        call()


def test_estimates_explanations_and_lists_show_themselves() -> None:
    estimates = advisor.estimate(["resnet18", "resnet34"], "jetson-nano", metric=["latency"])
    assert len(estimates.to_records()) == 2
    assert "resnet34" in estimates._repr_html_()
    assert estimates.command.startswith("advisor estimate resnet18 resnet34 --device jetson-nano")
    explanation = advisor.explain("resnet18", "jetson-nano")
    assert explanation.to_records()[0]["seconds"] > 0
    assert advisor.devices("jetson nano").devices[0].id
    assert all(row["top1"] > 0 for row in advisor.models("resnet18*").to_records())


def test_a_review_names_every_device_in_its_records() -> None:
    review = advisor.procure(
        ["jetson-nano", "raspberry-pi-5"], max_latency="50ms", models="resnet18*", quantity=10
    )
    assert [row["device"] for row in review.to_records()] == ["jetson-nano", "raspberry-pi-5"]
    assert "raspberry-pi-5" in review._repr_html_()


def test_a_search_answers_with_variants_that_need_training() -> None:
    found = advisor.search("mobilenetv2", "jetson-nano", max_latency="10ms", trials=30)
    assert all(entry.needs_training for entry in found.ranked)
    assert found.command.startswith("advisor search --device jetson-nano --family mobilenetv2")


def test_calibrating_names_what_to_measure_next() -> None:
    found = advisor.calibrate("jetson-nano", next=3)
    assert len(found.lanes[0].next) == 3
    assert found.to_records()[0]["measured"] == 0


def test_the_notebook_of_the_documentation_runs(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.read(ROOT / "docs" / "notebook.ipynb", as_version=4)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    client = nbclient.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute(env=environment)
    assert (tmp_path / "report.html").stat().st_size > 10_000
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert any("text/html" in output.get("data", {}) for output in outputs)
