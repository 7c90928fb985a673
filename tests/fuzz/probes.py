"""Probes: an input drawn by hypothesis, the command that takes it, and what may not happen."""

import contextlib
import copy
import csv
import io
import json
import random
import re
import shutil
from collections.abc import Callable, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from advisor.catalog.measurements import read_all
from advisor.core.measuring_request import (
    CalibrateRequest,
    CompressRequest,
    ImportRequest,
    KitRequest,
    MeasureRequest,
    TeachRequest,
)
from advisor.core.question import Question, options_of
from advisor.core.request import (
    CompareRequest,
    EstimateRequest,
    ExplainRequest,
    PurchaseRequest,
    Request,
    SearchRequest,
)
from advisor.core.workload import Layer, OperatorClass, Workload
from advisor.core.workload_table import WorkloadTable
from advisor.core.workload_table import write as write_workloads
from tests.fuzz.commands import ended
from tests.fuzz.kills import BESIDE, KILLS, MOMENTS, OUTAGES, beside_each_other, without_database

NUMBERS = st.one_of(
    st.sampled_from(
        ["nan", "inf", "-inf", "1e400", "-1", "0", "-0.0", "1e-320", "9" * 25, "9" * 5000, "²", "٣",
         "0x10", "1_000", "1,5", "1.2.3", "+", "", " ", "100%", "101%", "10ms", "1e300s", "0ms"]
    ),
    st.floats().map(repr),
    st.integers().map(str),
)  # fmt: skip
NAMES = st.sampled_from(
    ["resnet18", "mobilenetv2_100", "resnet18.tv_in1k", "resnet18@96", "jetson-nano", "rpi4",
     "raspberry-pi-4", "cpu", "gpu", "ncnn", "tensorrt", "fp16", "int8", "latency", "top1",
     "mobilenetv2", "mobilenetv2_100@192:width=0.75", "efficientnet_b0:phi=nan", "json:loads"]
)  # fmt: skip
TEXT = st.one_of(
    NAMES,
    NUMBERS,
    st.text(max_size=40),
    st.sampled_from(
        ["x" * 100_000, "../../x", "/", "a\nb", "\x1b[31m", "*", "[a", "a=b", "\ud800"]
    ),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@dataclass(frozen=True, slots=True)
class Probe:
    """One kind of input."""

    drawn: st.SearchStrategy[Any]
    faults: Callable[[Any, Path], list[str]]
    """Runs the input in a folder and names what may not happen."""
    at_once: int = 20
    """Inputs that are drawn before the next kind has its turn."""


@st.composite
def damaged(draw: st.DrawFn, sound: bytes) -> bytes:
    """Draw a sound file with some bytes changed, cut out, doubled or put in."""
    content = bytearray(sound)
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, max(len(content) - 1, 0)))
        length = draw(st.integers(0, 30))
        piece = bytes(content[place : place + length])
        put = draw(
            st.one_of(
                st.binary(max_size=6),
                st.sampled_from(
                    [b"", piece * 3, b"NaN", b"-1", b"1e999", b"\xff", b"\0", b'"', b"["]
                ),
            )
        )
        content[place : place + length] = put
    return bytes(content)


def _file(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


OPTIONED: tuple[type[Question], ...] = (
    Request, CompareRequest, EstimateRequest, ExplainRequest, PurchaseRequest,
)  # fmt: skip
_UNDONE = {"measure", "search", "assumptions", "profiles_dir", "accuracy_from", "table"}
"""Options that take long, or name files, which other probes draw."""


@st.composite
def questions(draw: st.DrawFn) -> list[str]:
    """Draw a command line of a request: options that exist, values of every kind."""
    kind = draw(st.sampled_from(OPTIONED))
    argv = draw(_options(kind, _UNDONE))
    sound = {"--device": "jetson-nano", "--devices": "jetson-nano"}
    for option, value in sound.items():
        known = option.lstrip("-") in options_of(kind)
        if known and option not in argv and draw(st.booleans()):
            argv += [option, value]
    return argv


@st.composite
def _options(draw: st.DrawFn, kind: type[Question], undrawn: Set[str]) -> list[str]:
    """Draw a command with some of its options, and a value of any kind for each."""
    argv = [kind.COMMAND]
    places = [one for key, one in options_of(kind).items() if key not in undrawn]
    for place in draw(st.lists(st.sampled_from(places), max_size=5, unique_by=lambda p: p.key)):
        name = "--" + place.key.replace("_", "-")
        if place.option.form.flag:
            argv.append(name)
        elif place.option.argument:
            argv.append(draw(NAMES))
        else:
            argv += [name, draw(TEXT)]
    return [word.replace("\0", "") for word in argv]


STOPPED: dict[type[Question], tuple[tuple[str, ...], ...]] = {
    SearchRequest: (
        ("--family", "mobilenetv2", "--device", "jetson-nano", "--trials", "2"),
        ("--family", "no-such-family", "--device", "jetson-nano"),
        ("--family", "mobilenetv2", "--device", "no-such-device"),
        ("--family", "mobilenetv2", "--device", "jetson-nano", "--data", "no-such-folder"),
    ),
    KitRequest: (
        ("--device", "jetson-nano", "--models", "no-such-network"),
        ("--device", "no-such-device", "--models", "resnet18"),
        ("--device", "jetson-nano", "--models", "resnet18", "-o", "no-such-folder/kit.tar.gz"),
    ),
    MeasureRequest: (
        ("no-such-network",),
        ("resnet18", "--runtime", "no-such-runtime"),
        ("resnet18", "--precision", "fp3"),
        ("resnet18", "--weights", "no-such-file"),
        ("resnet18", "-o", "no-such-folder/figures.json"),
    ),
    TeachRequest: (
        ("no-such-folder", "--models", "resnet18"),
        ("digits", "--models", "no-such-network"),
        ("digits", "--models", "resnet18", "--stages", "nothing"),
    ),
    CompressRequest: (
        ("resnet18", "--data", "no-such-folder", "--folder", "small"),
        ("no-such-network", "--data", "digits", "--folder", "small", "--prune", "50%"),
    ),
    CalibrateRequest: (("jetson-nano", "--next", "1"), ("no-such-device",)),
    ImportRequest: (("no-such-file.csv",), (), ("/dev/null", "--device", "jetson-nano")),
}
"""Commands that work for long, and options that stop each before its work, or keep it short.

What is drawn stands before them, and none of it is an option that they name.
"""
_LONG = {
    "resume", "storage", "time", "stagnation", "trials", "sampler", "folder", "on", "track",
    "output", "profiles_dir",
}  # fmt: skip
"""Options that would start long work, reach another machine, or leave files where a test runs."""


def _word(text: str) -> str:
    return text.replace("\0", "")


@st.composite
def stopped(draw: st.DrawFn) -> list[str]:
    """Draw a command line of what measures, packs, searches or trains, which ends before that."""
    kind = draw(st.sampled_from(list(STOPPED)))
    stop = draw(st.sampled_from(STOPPED[kind]))
    named = {word[2:].replace("-", "_") for word in stop if word.startswith("--")}
    arguments = {key for key, one in options_of(kind).items() if one.option.argument}
    return [*draw(_options(kind, _LONG | named | arguments)), *stop]


def _asked(argv: list[str], folder: Path) -> list[str]:
    return ended(*argv).faults(echoes=argv)


def _stopped(argv: list[str], folder: Path) -> list[str]:
    with contextlib.chdir(folder):
        return ended(*argv).faults(echoes=argv)


def _configured(content: bytes, folder: Path) -> list[str]:
    path = _file(folder, "request.yaml", content)
    return ended("recommend", "--config", path, "--models", "resnet18").faults(echoes="x")


def _profiled(content: bytes, folder: Path) -> list[str]:
    place = folder / "profiles"
    place.mkdir(exist_ok=True)
    _file(place, "drawn.yaml", content)
    argv = ("recommend", "--profiles-dir", str(place), "--models", "resnet1*")
    drawn, other = (ended(*argv, "--device", name) for name in ("drawn", "rpi4"))
    return [*drawn.faults(echoes=_texts(content)), *other.faults()]


def _texts(content: bytes) -> list[str]:
    """Return quoted texts, and names, that hold a word for no number: these may be printed."""
    words = r'(?i)"[^"\n]*\b(?:nan|inf|infinity)\b[^"\n]*"|name: .*\bnan\b'
    return re.findall(words, content.decode("utf-8", "replace"))


def _assumed(content: bytes, folder: Path) -> list[str]:
    path = _file(folder, "assumptions.yaml", content)
    argv = ("procure", "--devices", "jetson-nano", "--models", "resnet1*", "--max-latency", "20ms")
    return ended(*argv, "--assumptions", path).faults(echoes="x")


def _rendered(held: bytes, folder: Path) -> list[str]:
    path = _file(folder, "result.json", held)
    found = []
    texts = _texts(held)
    for form in ("table", "csv", "markdown"):
        found += ended("report", path, "--format", form).faults(echoes=texts)
    page = ended("report", path, "-o", str(folder / "page.html"))
    return found + page.faults(echoes=texts)


def _answered(rows: list[list[str]], folder: Path) -> list[str]:
    stream = io.StringIO()
    csv.writer(stream).writerows([QUESTION, *rows, ["jetson-nano", "", "", "", "", "", "resnet18"]])
    path = _file(folder, "questions.csv", stream.getvalue().encode("utf-8", "replace"))
    done = ended("estimate", "--table", path, "--format", "csv", "-o", str(folder / "out.csv"))
    found = done.faults(echoes="x")
    if done.code == 0:
        with (folder / "out.csv").open(newline="") as answers:
            *_, last = csv.DictReader(answers)
        if not float(last["latency_ms"] or "nan") > 0:
            found.append(f"a row was lost: {last}")
    return found


QUESTION = ["device_id", "unit", "runtime", "precision", "threads", "batch", "timm_name", "input_h"]
FIGURE = ["timm_name", "latency_ms", "batch", "threads", "input_h", "memory_mb", "session", "date"]


def _taken_in(content: bytes, folder: Path) -> list[str]:
    path = _file(folder, "figures.csv", content)
    return ended("import", path, "--device", "jetson-nano", "--force").faults(echoes="x")


PUBLICATION = ["device_id", "unit", "runtime", "precision", "threads", "batch", "network",
               "resolution", "latency_ms", "date", "source", "source_ref"]  # fmt: skip
PUBLISHED = ["jetson-nano", "cpu", "ncnn", "fp32", "4", "1", "toy", "32", "9", "2026-01", "a", "b"]


@st.composite
def renumbered(draw: st.DrawFn, sound: bytes) -> bytes:
    """Draw a sound file with some of its numbers replaced by others, extreme ones too."""
    words = re.split(rb"(?<=[ {\[:])(\d[\d.]*)(?=[,}\]\n])", sound)
    for _ in range(draw(st.integers(1, 4))):
        place = 1 + 2 * draw(st.integers(0, len(words) // 2 - 1))
        words[place] = draw(st.one_of(EXTREMES, st.floats(0).map(repr))).encode()
    return b"".join(words)


EXTREMES = st.sampled_from(
    ["0", "-1", "1", "1.0e-9", "1.0e+12", "1.0e+300", "1.0e-300", "1000000", "10000", "9" * 25]
)


@st.composite
def publications(draw: st.DrawFn) -> bytes:
    """Draw a table of published figures: sound rows of which a few cells are of any kind."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(PUBLICATION)
    for _ in range(draw(st.integers(1, 3))):
        row = list(PUBLISHED)
        for place in draw(st.lists(st.integers(0, len(row) - 1), max_size=2)):
            row[place] = draw(TEXT).replace("\0", "")
        writer.writerow(row)
    content = stream.getvalue().encode("utf-8", "replace")
    return draw(damaged(content)) if draw(st.booleans()) else content


def _published(content: bytes, folder: Path) -> list[str]:
    """Add a table to a catalog of one network; what it takes it has to be able to read."""
    root = folder / "catalog"
    if not root.is_dir():
        root.mkdir()
        layer = Layer(operator=OperatorClass.DENSE, kind="convolution", macs=10**6, weights=9)
        toy = Workload(network="toy", resolution=32, parameters=9, buffers=0, peak_activations=1,
                       layers=(layer,))  # fmt: skip
        write_workloads(WorkloadTable.of([toy]), root)
        (root / "network_aliases.csv").write_text("name,network,source\n")
    path = _file(folder, "publication.csv", content)
    argv = ("catalog", "add", path, "--catalog", str(root))
    done, again = ended(*argv), ended(*argv, "--dry-run")
    found = [*done.faults(echoes="x"), *again.faults(echoes="x")]
    if done.code == 0 and " known; nothing" not in " ".join(again.err.split()):
        found.append(f"taken, yet not known: {again.err}")
    measurements = root / "measurements"
    figures = (
        [row for rows in read_all(root).values() for row in rows] if measurements.is_dir() else []
    )
    found += [f"no figure: {row}" for row in figures if not row.seconds_per_image > 0]
    shutil.rmtree(measurements, ignore_errors=True)
    return found


LISTINGS = (
    ("devices", "show"), ("devices", "ls"), ("models", "show"), ("models", "ls"),
    ("measurements", "show"), ("measurements", "forget"), ("explain", "--device", "rpi4"),
    ("devices", "new", "--like", "rpi4", "--profiles-dir", "new-profiles"),
    ("devices", "new", "A board", "--profiles-dir", "new-profiles", "--like"),
)  # fmt: skip
"""Commands that take a name."""


def _listed(argv: list[str], folder: Path) -> list[str]:
    with contextlib.chdir(folder):
        Path("new-profiles").mkdir(exist_ok=True)
        found = ended(*argv).faults(echoes=argv)
        for path in Path("new-profiles").glob("*.yaml"):
            shown = ended("devices", "show", path.stem, "--profiles-dir", "new-profiles")
            found += shown.faults(echoes=argv)
        shutil.rmtree("new-profiles")
    return found


def figures(rows: list[list[str]]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream).writerows([FIGURE, *rows, ["resnet18", "11.8"]])
    return stream.getvalue().encode("utf-8", "replace")


def _counted(content: bytes, folder: Path) -> list[str]:
    path = _file(folder, "net.onnx", content)
    return ended("estimate", f"{path}@64", "--device", "jetson-nano").faults()


@cache
def sound_results() -> tuple[bytes, ...]:
    """Results of every kind that this package writes without training."""
    wanted = (
        ("recommend", "--device", "jetson-nano", "--max-latency", "10ms", "--models", "resnet1*"),
        ("estimate", "resnet18", "--device", "jetson-nano"),
        ("procure", "--devices", "jetson-nano,rpi4", "--models", "resnet1*"),
        ("compare", "resnet18", "mobilenetv2_100", "--device", "jetson-nano", "--device", "rpi4"),
        ("explain", "ghostnet_100", "--device", "jetson-nano"),
        ("calibrate", "jetson-nano", "--next", "1"),
    )
    state = random.getstate()  # of whoever draws; what a command is first to import may move it
    found = tuple(ended(*argv, "--format", "json").out.encode() for argv in wanted)
    random.setstate(state)
    return found


@st.composite
def changed_results(draw: st.DrawFn) -> bytes:
    """Draw a result of which some values were replaced, left out or doubled."""
    held = json.loads(draw(st.sampled_from(sound_results())))
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(held))
        parent, key = draw(st.sampled_from(places))
        if draw(st.booleans()):
            parent[key] = draw(VALUES)
        elif draw(st.booleans()):
            parent[key] = copy.deepcopy(draw(st.sampled_from([p[k] for p, k in places])))
        elif isinstance(parent, dict):
            del parent[key]
    return json.dumps(held).encode("utf-8", "surrogatepass")


def _places(held: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    waiting = [held]
    while waiting:
        node = waiting.pop()
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in items:
            found.append((node, key))
            if isinstance(value, dict | list):
                waiting.append(value)
    return found


@cache
def sound_onnx() -> bytes:
    """A small network of three operators as ONNX."""
    import onnx
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["a"], ["b"]),
            helper.make_node("GlobalAveragePool", ["b"], ["y"]),
        ],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [helper.make_tensor("w", TensorProto.FLOAT, [8, 3, 3, 3], [0.1] * 216)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    content: bytes = onnx.load_model_from_string(model.SerializeToString()).SerializeToString()
    return content


def shipped(name: str) -> bytes:
    from advisor.hardware.library import profiles_directory

    text = (profiles_directory() / f"{name}.yaml").read_text()
    return text.replace(f"id: {name}", "id: drawn").encode()


REQUEST = b"device: jetson-nano\nmax-latency: 10ms\nmodels: [resnet18, 'mobilenet*']\ntop: 5\n"
ASSUMPTIONS = b"quantity: 10\nyears: 3\nduty: {share: 40%}\nprices: {jetson-nano: {price: 99USD}}\n"
CELLS = st.lists(TEXT.map(lambda text: text.replace("\0", "")), min_size=8, max_size=8)
PROBES = {
    "options": Probe(questions(), _asked),
    "request file": Probe(damaged(REQUEST), _configured),
    "assumptions": Probe(damaged(ASSUMPTIONS), _assumed),
    "profile": Probe(
        st.deferred(
            lambda: st.one_of(damaged(shipped("jetson-nano")), renumbered(shipped("orangepi5")))
        ),
        _profiled,
    ),
    "result": Probe(changed_results(), _rendered),
    "result bytes": Probe(
        st.deferred(lambda: st.sampled_from(sound_results())).flatmap(damaged), _rendered
    ),
    "questions": Probe(st.lists(CELLS, max_size=3), _answered),
    "figures": Probe(st.lists(CELLS, max_size=4).map(figures), _taken_in),
    "figures bytes": Probe(damaged(figures([["resnet50", "30.5"]] * 3)), _taken_in),
    "publication": Probe(publications(), _published),
    "names": Probe(
        st.tuples(st.sampled_from(LISTINGS), TEXT).map(lambda one: [*one[0], _word(one[1])]),
        _listed,
    ),
    "onnx": Probe(st.deferred(lambda: damaged(sound_onnx())), _counted),
    "stopped work": Probe(stopped(), _stopped),
    **{name: Probe(MOMENTS, killing.faults, at_once=1) for name, killing in KILLS.items()},
    "eight at once": Probe(BESIDE, beside_each_other, at_once=1),
    "lost database": Probe(OUTAGES, without_database, at_once=1),
}
WITHIN = tuple(name for name, probe in PROBES.items() if probe.at_once > 1)
"""Probes that run within one process."""
BESIDES = tuple(name for name in PROBES if name not in WITHIN)
"""Probes that start processes."""
