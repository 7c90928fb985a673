"""Files as people hand them over: each that cannot be read is one line, and nothing is lost."""

import csv
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.commands import Ended, ended
from tests.fuzz.probes import sound_results

ASK = ("recommend", "--device", "jetson-nano", "--max-latency", "10ms", "--models", "resnet1*")
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
YAML = {
    "a date": (b"device: jetson-nano\nmax-latency: 2019-03-01\n", "unknown unit '-03-01'"),
    "5,000 digits": (b"top: " + b"9" * 5000, "too many digits"),
    "a value of another tag": (b"top: !!int x\n", "not valid YAML"),
    "a list as a key": (b"? [a, b]\n: 1\n", ":1: a key is no word"),
    "another encoding": (b"device: \xff\xfe\n", "byte 9 is not UTF-8"),
    "deep nesting": (b"a: " + b"[" * 20_000, "nest"),
    "nesting that the parser takes": (b"a: " + b"[" * 500 + b"]" * 500, "nested too deeply"),
    "an alias inside itself": (b"device: &a [*a]\n", "an alias inside itself?"),
    "an alias bomb": (f"{BOMB}models: *i\n".encode(), "unfolds to too many values"),
    "a Python object": (b"!!python/object/apply:os.system ['true']\n", "constructor"),
    "a date that is none": (b"device: !!timestamp 2019-99-99\n", "not valid YAML"),
    "a set": (b"device: !!set {a, b}\n", "is not one value"),
    "a zero byte": (b"device: a\0b\n", "not valid YAML"),
    "no number": (b"device: jetson-nano\nconfidence: .nan\n", "'nan' is not a number"),
    "a name of a million letters": (b"device: " + b"x" * 10**6, "unknown device"),
    "nothing": (b"", "the file is empty"),
}


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))


def refused(*argv: str, code: int = 2) -> Ended:
    """Run a command that ends in one line of error and nothing else."""
    found = ended(*argv)
    assert found.faults() == []
    assert (found.code, len(found.err.splitlines()), found.out) == (code, 1, ""), found.err
    return found


@pytest.mark.parametrize("name", YAML)
def test_yaml_that_cannot_be_is_one_line(name: str, tmp_path: Path) -> None:
    content, said = YAML[name]
    path = tmp_path / "request.yaml"
    path.write_bytes(content)
    assert said in refused("recommend", "--config", str(path)).err


@pytest.mark.parametrize("name", ["a list as a key", "an alias bomb", "another encoding"])
def test_a_profile_and_assumptions_are_read_by_the_same_reader(name: str, tmp_path: Path) -> None:
    content, said = YAML[name]
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    argv = ("devices", "show", "mine", "--profiles-dir", str(tmp_path))
    assert said in refused(*argv, code=1).err
    argv = ("procure", "--devices", "jetson-nano", "--assumptions", str(path))
    assert said in refused(*argv).err


JSON = {
    "5,000 levels": (b"[" * 5000 + b"]" * 5000, "nested too deeply"),
    "5,000 digits": (b'{"kind": ' + b"9" * 5000 + b"}", "too many digits"),
    "NaN": (b'{"kind": NaN}', "NaN is no number"),
    "infinity": (b'{"kind": 1e999}', "1e999 is no number"),
    "another encoding": (b"\xff", "is not UTF-8"),
    "a field twice": (b'{"a": 1, "a": 2}', "appears twice"),
    "a list for a word": (b'{"kind": ["a"]}', "field 'kind'"),
    "a long word": (b'{"kind": "' + b"x" * 100_000 + b'"}', "field 'kind'"),
    "half a character": (b'{"kind": "\\ud800"}', "field 'kind'"),
}


@pytest.mark.parametrize("name", JSON)
def test_json_that_cannot_be_is_one_line(name: str, tmp_path: Path) -> None:
    content, said = JSON[name]
    path = tmp_path / "result.json"
    path.write_bytes(content)
    assert said in refused("report", str(path)).err


def test_a_trial_is_read_by_the_same_reader(tmp_path: Path) -> None:
    path = tmp_path / "trial.json"
    path.write_bytes(JSON["5,000 levels"][0])
    argv = (*ASK, "--accuracy-from", str(path))
    assert "nested too deeply" in refused(*argv, code=1).err


CELLS = {
    "a long cell": ("x" * 200_000, "", "unknown network"),
    "64 bits and more": ("resnet18", "9" * 23, "out of range"),
    "5,000 digits": ("resnet18", "9" * 5000, "not a whole number"),
    "no number": ("resnet18", "nan", "not a whole number"),
    "a side that no network has": ("resnet18", "100000", "out of range"),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_row_that_cannot_be_answered_costs_no_other(name: str, tmp_path: Path) -> None:
    network, side, said = CELLS[name]
    table, answers = tmp_path / "questions.csv", tmp_path / "answers.csv"
    header = "device_id,timm_name,input_h"
    table.write_text(f"{header}\njetson-nano,{network},{side}\njetson-nano,resnet18,\n")
    found = ended("estimate", "--table", str(table), "--format", "csv", "-o", str(answers))
    assert (found.code, found.faults()) == (0, [])
    csv.field_size_limit(10**6)
    with answers.open(newline="") as stream:
        first, second = csv.DictReader(stream)
    assert said in first["reason"]
    assert len(first["reason"]) <= 500
    assert float(second["latency_ms"]) > 0


ROWS = {
    "a long figure": ("resnet18", "1" * 200_000, ""),
    "a long name": ("x" * 200_000, "12", ""),
    "NaN": ("resnet18", "nan", ""),
    "a figure beyond all": ("resnet18", "1e400", ""),
    "a side beyond 64 bits": ("resnet18", "12", "9" * 23),
    "a side of 5,000 digits": ("resnet18", "12", "9" * 5000),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_cannot_be_taken_in_costs_no_other(name: str, tmp_path: Path) -> None:
    network, latency, side = ROWS[name]
    table = tmp_path / "figures.csv"
    table.write_text(
        f"timm_name,latency_ms,input_h\n{network},{latency},{side}\nresnet18,11.8,224\n"
    )
    found = ended("import", str(table), "--device", "jetson-nano")
    assert (found.code, found.faults()) == (1, [])
    assert f"{table}, line 2: " in found.err
    assert "kept 1 figures" in found.err


def test_json_rows_are_judged_one_by_one(tmp_path: Path) -> None:
    table = tmp_path / "figures.json"
    good = '{"timm_name": "resnet18", "latency_ms": 11.8}'
    bad = [good.replace("11.8", number) for number in ("NaN", "9" * 5000)]
    table.write_text(f"[{', '.join([good, *bad])}]")
    found = ended("import", str(table), "--device", "jetson-nano")
    assert (found.code, found.faults()) == (1, [])
    assert "kept 1 figures" in found.err


def test_a_table_of_a_million_columns_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "figures.csv"
    table.write_text("timm_name,latency_ms," + "," * 10**6 + "\nresnet18,12\n")
    found = ended("import", str(table), "--device", "jetson-nano")
    assert (found.code, found.faults()) == (1, [])
    assert "columns; allowed: 1,000" in found.err


def test_files_without_an_end_are_not_read_to_it() -> None:
    assert "larger than" in refused("recommend", "--config", "/dev/zero").err


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("result") / "result.json"
    assert ended(*ASK, "-o", str(path)).code in (0, 3)
    return path.read_text()


LATENCIES = {
    "low above high": {"low": 1.0, "high": 0.001},
    "the value outside its interval": {"value": 0.1, "low": 1.0, "high": 2.0},
    "less than nothing": {"value": -1.0, "low": -2.0, "high": -0.5},
    "beyond all figures": {"value": 1e308, "low": 1e300, "high": 1e308},
    "below all figures": {"value": 5e-324, "low": 0.0, "high": 5e-324},
    "a level that is none": {"level": 7.0},
}


@pytest.mark.parametrize("name", LATENCIES)
def test_a_result_that_contradicts_itself_is_refused(
    name: str, document: str, tmp_path: Path
) -> None:
    held = json.loads(document)
    for entry in [*held["ranked"], *held["uncertain"], *held["rejected"]]:
        entry["metrics"]["latency"].update(LATENCIES[name])
    path = tmp_path / "result.json"
    path.write_text(json.dumps(held))
    error = refused("report", str(path), "-o", str(tmp_path / "result.html")).err
    assert "metrics.latency" in error
    assert not (tmp_path / "result.html").exists()


def intervals(held: Any, path: str = "") -> dict[str, dict[str, Any]]:
    """Figures with an interval anywhere in a document, one for each kind of place."""
    items = held.items() if isinstance(held, dict) else enumerate(held)
    found: dict[str, dict[str, Any]] = {}
    if isinstance(held, dict) and None not in (held.get("low"), held.get("high")):
        found[path] = held
    for key, value in items:
        if isinstance(value, dict | list):
            found |= intervals(value, f"{path}.{key if isinstance(key, str) else '*'}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
def test_no_kind_of_result_may_have_an_interval_that_ends_before_it_begins(
    number: int, tmp_path: Path
) -> None:
    path = tmp_path / "result.json"
    places = intervals(json.loads(sound_results()[number]))
    assert places
    for place in places:
        held = json.loads(sound_results()[number])
        figure = intervals(held)[place]
        figure["low"], figure["high"] = 2.0 * abs(figure["high"]) + 1.0, figure["low"]
        path.write_text(json.dumps(held))
        refused("report", str(path), "-o", str(tmp_path / "result.html"))


def test_a_probability_above_one_and_a_negative_count_are_refused(
    document: str, tmp_path: Path
) -> None:
    path = tmp_path / "result.json"
    held = json.loads(document)
    (held["ranked"] + held["uncertain"])[0]["probability"] = 17
    path.write_text(json.dumps(held))
    assert "probability 17" in refused("report", str(path)).err
    path.write_text(json.dumps(json.loads(document) | {"considered": -5}))
    assert "'considered'" in refused("report", str(path)).err


def first(held: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = (held["ranked"] + held["uncertain"])[0]
    return entry


CONTRADICTIONS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a limit kept by what breaks it": (
        lambda held: first(held)["metrics"]["latency"].update(value=0.1, low=0.09, high=0.11),
        "Latency ≤ 10.0 ms is said to be met, but latency is 90.0–110 ms",
    ),
    "a first that breaks a limit": (
        lambda held: first(held).update(verdict="violated"),
        "is ranked, but its verdict is violated",
    ),
    "a latency in bytes": (
        lambda held: first(held)["metrics"]["latency"].update(unit="B"),
        "latency in 'B'; allowed: 's'",
    ),
    "a rank left out": (lambda held: first(held).update(rank=2), "do not count from 1 up"),
    "a candidate twice": (lambda held: held["ranked"].append(first(held)), "is listed twice"),
    "fewer considered than listed": (lambda held: held.update(considered=1), "considered 1, but"),
    "a stranger on the front": (
        lambda held: held.update(front=["nobody"]),
        "nobody is answered, but not listed",
    ),
    "a firmness without a first": (
        lambda held: held.update(ranked=[], answers={}, front=[]),
        "none is ranked whose place could be firm",
    ),
    "a share above one": (
        lambda held: held["sensitivity"].update(first_stays=5.0),
        "'sensitivity.first_stays'",
    ),
    "a price below nothing": (lambda held: held["device"].update(price=-1.0), "'device.price'"),
    "a negative distance": (
        lambda held: held["rejected"][0].update(excess=-3.0),
        "'rejected.0.excess'",
    ),
    "more turned away than there are": (
        lambda held: held["ledger"][0].update(rejected=10**6),
        "more were turned away than",
    ),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_parts_of_a_result_that_contradict_each_other_are_refused(
    name: str, document: str, tmp_path: Path
) -> None:
    change, said = CONTRADICTIONS[name]
    held = json.loads(document)
    assert held["ranked"]
    change(held)
    path = tmp_path / "result.json"
    path.write_text(json.dumps(held))
    assert said in refused("report", str(path), "-o", str(tmp_path / "result.html")).err


def test_a_mark_of_the_byte_order_changes_no_result(document: str, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(document, encoding="utf-8-sig")
    assert ended("report", str(path)).code == 0


def test_only_recommendations_are_held_against_each_other(document: str, tmp_path: Path) -> None:
    estimates, result = tmp_path / "estimates.json", tmp_path / "result.json"
    estimates.write_bytes(sound_results()[1])
    result.write_text(document)
    for one, other in ((estimates, result), (result, estimates)):
        error = refused("report", str(one), "--against", str(other)).err
        assert "holds no recommendation but estimates" in error


OPTIONS = {
    "--seed=-1": "-1 is out of range; allowed: 0 to 4294967295",
    "--seed=99999999999999999999": "out of range",
    "--confidence=100%": "'100%' is out of range",
    "--confidence=1e-300": "out of range",
    "--confidence=0.9999999999999999": "out of range",
    "--confidence=nan": "'nan' is not a number",
    "--batch=99999999999999999999": "out of range",
    "--threads=99999999999999999999": "out of range",
    "--top=" + "9" * 5000: "is not a whole number",
    "--max-latency=1e300ms": "out of range",
    "--max-latency=1e-300ms": "out of range",
    "--max-latency=nanms": "cannot read",
    "--weights=top1=1e308": "out of range",
    "--models=" + "x" * 100_000: "no network",
    "--profiles-dir=/nope": "/nope is no folder",
    "--use-case=a\x1b[31m\nb": "unknown use case",
}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda text: text[:30])
def test_numbers_that_mean_nothing_are_refused(option: str) -> None:
    assert OPTIONS[option] in refused("recommend", "--device", "jetson-nano", option).err


NOTHING = [
    ("recommend", "--device", "jetson-nano", "--models", ""),
    ("recommend", "--device", "jetson-nano", "--precision", ","),
    ("procure", "--devices", "", "--max-latency", "10ms"),
    ("estimate", "", "--device", "jetson-nano"),
    ("kit", "--device", "jetson-nano", "--models", " "),
    ("measure", ""),
]


@pytest.mark.parametrize("argv", NOTHING, ids=" ".join)
def test_an_option_that_names_nothing_is_refused(argv: tuple[str, ...]) -> None:
    assert "names nothing; name one, or leave it out" in refused(*argv).err


def test_a_list_in_a_file_may_be_empty_unless_it_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "request.yaml"
    path.write_text("devices: []\n")
    assert "procure needs --devices" in refused("procure", "--config", str(path)).err
    path.write_text("exclude: []\n")
    assert ended(*ASK, "--config", str(path)).code in (0, 3)


def test_a_host_without_an_address_is_one_line() -> None:
    assert "cannot listen on no.invalid:8765" in refused("serve", "--host", "no.invalid").err


@pytest.mark.parametrize("option", ["--seed=-1", "--confidence=100%", "--time=1e300s"])
def test_a_search_refuses_them_too(option: str) -> None:
    assert (
        "out of range"
        in refused("search", "--family", "mobilenetv2", "--device", "jetson-nano", option).err
    )


@pytest.mark.parametrize("name", ["/proc/no.json", "full.json", "dangling.json", "loop.json"])
def test_a_file_that_cannot_be_written_is_one_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for link, target in (
        ("full", "/dev/full"),
        ("dangling", "/no/such.json"),
        ("loop", "loop.json"),
    ):
        Path(f"{link}.json").symlink_to(target)
    error = refused(*ASK, "-o", name, code=1 if name == "full.json" else 2).err
    assert name in error
    search = ("search", "--family", "mobilenetv2", "--device", "jetson-nano", "--trials", "3")
    for option in ("--record", "--export") if name != "full.json" else ():
        assert name in refused(*search, option, name, code=1 if option == "--export" else 2).err


def test_what_no_answer_can_be_written_as_is_refused_before_the_work(tmp_path: Path) -> None:
    first, workbook = tmp_path / "first.json", tmp_path / "answer.xlsx"
    error = refused(*ASK, "-o", str(first), "-o", str(workbook)).err
    assert "only a procurement review" in error
    assert not first.exists()


def test_a_kit_is_not_taken_for_the_figures_it_brings(tmp_path: Path) -> None:
    kit = tmp_path / "kit.tar.gz"
    with tarfile.open(kit, "w:gz"):
        pass
    error = refused("import", str(kit), "--device", "jetson-nano", code=1).err
    assert "is an archive, not a table; a kit is unpacked and run on the board" in error


def test_a_name_too_long_or_with_a_zero_byte_is_one_line(tmp_path: Path) -> None:
    assert "is no name of a file" in refused(*ASK, "-o", "a" * 300 + ".json").err
    request = tmp_path / "request.yaml"
    for line in ('output: "a\\0.json"', 'device: "a\\0"', 'models: ["a\\0"]'):
        request.write_text(line)
        assert "holds a zero byte" in refused("recommend", "--config", str(request)).err


def test_a_deleted_working_folder_is_one_line_or_no_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert ended(*ASK).faults() == []
    assert ended(*ASK).code in (0, 3)
    assert ended(*ASK, "-o", "result.json").faults() == []


@pytest.mark.parametrize("home", ["a-file", "/proc/none", "loop", "x" * 300])
def test_a_home_that_cannot_be_used_stops_no_answer(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / home))
    answer = ended(*ASK)
    assert answer.code in (0, 3)
    assert answer.faults() == []


def test_a_user_without_a_home_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADVISOR_HOME")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", "/proc/none")
    answer = ended(*ASK)
    assert answer.code in (0, 3)
    assert answer.faults() == []
    assert "measurements" in refused("measurements", "ls", code=1).err


@pytest.mark.slow
@pytest.mark.parametrize("home", ["a-file", "/proc/none", "loop", "x" * 300])
def test_a_home_that_cannot_be_used_is_one_line_where_it_is_needed(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / home))
    table = tmp_path / "figures.csv"
    table.write_text("timm_name,latency_ms\nresnet18,11.8\n")
    for argv in (
        ("import", str(table), "--device", "jetson-nano"),
        ("measurements", "ls"),
        ("doctor",),
        ("search", "--family", "mobilenetv2", "--device", "jetson-nano", "--trials", "3"),
    ):
        assert ended(*argv).faults() == []
