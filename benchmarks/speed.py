"""What answers cost, and how that grows: time and peak memory, as ratios within one run.

    python benchmarks/speed.py [--only NAME] [--repeats 3] [--quick] [--large] [-o docs/speed.md]

Every command runs in a process of its own, between two runs of ``import numpy, yaml, jinja2``:
the ratio to these is what is compared, since the machine's speed cancels. Times are those of the
processor, user and system together, of one thread. The growth exponent is that of what is above
the smallest size: 1 for work in proportion to the size, 2 for quadratic work. ``--large`` adds the
sizes that take minutes (a million rows, thousands of own networks), each run once.
"""

import argparse
import csv
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMPORTS = ("-c", "import numpy, yaml, jinja2")
"""What every answer has to import at least."""
PROGRAM = ("-m", "advisor", "-q")
DEVICE = ("--device", "jetson-nano")
STEEP = 1.1
"""Exponent above which growth is told apart."""
COLD = "`recommend`, cold"
OWN = "`recommend` with n networks of your own"
SEARCH = "`search` of n trials"
LARGER = "`recommend` from n times the networks"

Build = Callable[[int, Path], Sequence[str]]
"""Gives the arguments of Python for a size; may write what they need into the folder."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row of the page: a command at several sizes."""

    name: str
    sizes: tuple[int, ...]
    quick: tuple[int, ...]
    """Sizes of a short run."""
    build: Build
    large: tuple[int, ...] = ()
    """Further sizes of a long run, each run once."""
    changes: bool = False
    """Whether a run changes what the next one finds, so that each is built afresh."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one size of a case took."""

    size: int
    seconds: float
    """Processor time, median of the repeats."""
    ratio: float
    """Times the imports beside it, median of the repeats."""
    megabytes: float
    written: int
    """Bytes of the report, where there is one."""


def run(arguments: Sequence[str], folder: Path) -> tuple[float, float]:
    """Run Python; return its processor time in seconds and its peak memory in MB."""
    environment = {
        **os.environ,
        "ADVISOR_HOME": str(folder / "home"),
        "PYTHONPATH": str(ROOT),
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    catalog = folder / "catalog"
    if catalog.is_dir():
        environment["ADVISOR_CATALOG"] = str(catalog)
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 3):
            said = process.stderr.read().decode() if process.stderr else ""
            raise SystemExit(f"{' '.join(arguments)}: {process.returncode}: {said[-500:]}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def networks(count: int, *, trained: bool = False) -> list[str]:
    """Return ``count`` networks of the catalog at 224 pixels, again from the start at its end.

    ``trained`` ones have published weights.
    """
    with (ROOT / "catalog" / "networks.csv").open(newline="", encoding="utf-8") as stream:
        rows = [row["network"] for row in csv.DictReader(stream) if row["resolution"] == "224"]
    names = [name for name in rows if ":" not in name]
    if trained:
        with (ROOT / "catalog" / "accuracy.csv").open(newline="", encoding="utf-8") as stream:
            known = {row["network"] for row in csv.DictReader(stream)}
        names = [name for name in names if name in known]
    return [names[place % len(names)] for place in range(count)]


def _recommend(_: int, _folder: Path) -> Sequence[str]:
    return (*PROGRAM, "recommend", *DEVICE, "--max-latency", "10ms")


def _uncounted(_: int, _folder: Path) -> Sequence[str]:
    return (*PROGRAM, "estimate", "mobilenetv2_100@100", *DEVICE)


def _help(_: int, _folder: Path) -> Sequence[str]:
    return (*PROGRAM, "--help")


def _table(size: int, folder: Path) -> Sequence[str]:
    with (ROOT / "catalog" / "lanes.csv").open(newline="", encoding="utf-8") as stream:
        lanes = [row for row in csv.DictReader(stream) if row["threads"] == ""][:40]
    names = ("device", "unit", "runtime", "precision", "batch")
    with (folder / "questions.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("device_id", *names[1:], "timm_name", "input_h"))
        for place, network in enumerate(networks(size)):
            lane = lanes[place % len(lanes)]
            writer.writerow((*(lane[name] for name in names), network, 224))
    return (*PROGRAM, "estimate", "--table", "questions.csv", "--format", "csv")


def _figures(path: Path, names: Sequence[str]) -> None:
    rows = (f"{name},{20_000 + place % 7}\n" for place, name in enumerate(names))
    path.write_text("timm_name,latency_ms\n" + "".join(rows), encoding="utf-8")


def _import(size: int, folder: Path) -> Sequence[str]:
    _figures(folder / "figures.csv", ["resnet18"] * size)
    return (*PROGRAM, "import", "figures.csv", *DEVICE, "--force")


LANES = (
    *("gpu,tensorrt,fp16,", "gpu,pytorch,fp16,", "gpu,ncnn,fp16,"),
    *("cpu,ncnn,fp32,4", "cpu,ncnn,fp32,1", "cpu,ncnn,int8,4", "cpu,ncnn,int8,1"),
)
"""Lanes of the device: unit, runtime, precision, threads."""


def _own(size: int, folder: Path) -> Sequence[str]:
    """Time each network once; where they do not suffice, in the next lane again."""
    every = len(dict.fromkeys(networks(10_000)))
    rows = (
        f"{name},{200_000 + place % 7},{LANES[place // every]}\n"
        for place, name in enumerate(networks(size))
    )
    head = "timm_name,latency_ms,unit,runtime,precision,threads\n"
    (folder / "figures.csv").write_text(head + "".join(rows), encoding="utf-8")
    run((*PROGRAM, "import", "figures.csv", *DEVICE, "--force"), folder)
    return _recommend(size, folder)


def _of_hundred(size: int, folder: Path) -> Sequence[str]:
    few = networks(100)
    _figures(folder / "figures.csv", [few[place % len(few)] for place in range(size)])
    run((*PROGRAM, "import", "figures.csv", *DEVICE, "--force"), folder)
    return _recommend(size, folder)


def _repeated(size: int, folder: Path) -> Sequence[str]:
    run(_import(size, folder), folder)
    return _recommend(size, folder)


def _report(size: int, folder: Path) -> Sequence[str]:
    run((*PROGRAM, "recommend", *DEVICE, "--max-latency", "100s", "--all-weights",
         "-o", "result.json"), folder)  # fmt: skip
    path = folder / "result.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["ranked"], document["uncertain"] = document["ranked"][:size], []
    document["rejected"], document["considered"] = [], len(document["ranked"])
    document["front"] = [one["candidate"] for one in document["ranked"] if one["on_front"]]
    document["ledger"], document["answers"] = [], {}
    path.write_text(json.dumps(document), encoding="utf-8")
    return (*PROGRAM, "report", "result.json", "-o", "report.html")


def _procure(size: int, _folder: Path) -> Sequence[str]:
    profiles = sorted(path.stem for path in (ROOT / "catalog" / "measurements").glob("*.csv"))
    step = max(len(profiles) // size, 1)
    devices = ",".join(profiles[::step][:size])
    return (*PROGRAM, "procure", "--devices", devices, "--max-latency", "50ms")


def _search(size: int, _folder: Path) -> Sequence[str]:
    return (*PROGRAM, "search", "--family", "mobilenetv2", *DEVICE, "--max-latency", "10ms",
            "--trials", str(size))  # fmt: skip


def _estimate(size: int, _folder: Path) -> Sequence[str]:
    return (*PROGRAM, "estimate", *dict.fromkeys(networks(size, trained=True)), *DEVICE)


def _every(_: int, _folder: Path) -> Sequence[str]:
    return (*PROGRAM, "estimate", "*", *DEVICE)


def _catalog(size: int, folder: Path) -> Sequence[str]:
    """Write the catalog with its networks and weights ``size`` times over, under other names."""
    script = (
        "import csv, shutil, sys\n"
        "from dataclasses import replace\n"
        "from pathlib import Path\n"
        "from advisor.core.workload_table import WorkloadTable, read, write\n"
        "root, to, times = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])\n"
        "shutil.copytree(root, to, ignore=shutil.ignore_patterns('*left_out*', 'campaigns'))\n"
        "table = read(root)\n"
        "own = [table.workload(row) for row in range(len(table))]\n"
        "name = lambda one, n: one if n == 0 else f'{one}_x{n}'\n"
        "every = [replace(w, network=name(w.network, n)) for n in range(times) for w in own]\n"
        "write(WorkloadTable.of(every), to)\n"
        "with (root / 'accuracy.csv').open(newline='') as stream:\n"
        "    rows = list(csv.DictReader(stream))\n"
        "with (to / 'accuracy.csv').open('w', newline='') as stream:\n"
        "    writer = csv.DictWriter(stream, list(rows[0])); writer.writeheader()\n"
        "    for n in range(times):\n"
        "        writer.writerows({**row, 'network': name(row['network'], n)} for row in rows)\n"
    )
    place = folder / "larger"
    run(("-c", script, str(ROOT / "catalog"), str(place), str(size)), folder)
    place.rename(folder / "catalog")
    return _recommend(size, folder)


CASES = (
    Case(name="`--help`", sizes=(1,), quick=(1,), build=_help),
    Case(name=COLD, sizes=(1,), quick=(1,), build=_recommend),
    Case(name="`estimate` of a network at an input that nobody counted", sizes=(1,), quick=(1,),
         build=_uncounted),
    Case(name="`estimate '*'`: all weights of the catalog, printed", sizes=(1,), quick=(1,),
         build=_every),
    Case(name="`estimate` of n networks, printed", sizes=(50, 200, 800), quick=(20, 40, 80),
         build=_estimate),
    Case(name="`estimate --table` of n rows in 40 lanes", sizes=(2_000, 8_000, 32_000),
         quick=(500, 1_000, 2_000), large=(200_000,), build=_table),
    Case(name="`import` of n repetitions of one network", sizes=(1_000, 8_000, 32_000),
         quick=(500, 2_000, 8_000), large=(100_000, 1_000_000), build=_import, changes=True),
    Case(name=OWN, sizes=(10, 100, 600), quick=(10, 30, 90), large=(1_600, 5_000), build=_own),
    Case(name="`recommend` with n rows of one network of your own", sizes=(1_000, 8_000, 32_000),
         quick=(500, 2_000, 8_000), large=(100_000,), build=_repeated),
    Case(name="`recommend` with n rows of 100 networks of your own", sizes=(1_000, 8_000, 32_000),
         quick=(500, 2_000, 8_000), large=(100_000,), build=_of_hundred),
    Case(name="`report` of n candidates as HTML", sizes=(5, 150, 1_500), quick=(5, 50, 150),
         build=_report),
    Case(name="`procure` over n devices", sizes=(2, 10, 50), quick=(2, 4, 8), build=_procure),
    Case(name=SEARCH, sizes=(100, 300, 1_000), quick=(50, 100, 200), build=_search,
         changes=True),
    Case(name=LARGER, sizes=(1, 3, 10), quick=(1, 2, 3),
         build=_catalog),
)  # fmt: skip


def measured(case: Case, sizes: Sequence[int], repeats: int, base: list[float]) -> list[Cost]:
    """Run a case at its sizes, each run between two of the imports, which ``base`` collects."""
    costs = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            times = 1 if size in case.large else repeats
            costs.append(_cost(case, size, times, Path(name), base))
        print(f"  n = {size:,}: {costs[-1].seconds:.2f} s, {costs[-1].ratio:.1f} × imports, "
              f"{costs[-1].megabytes:.0f} MB", flush=True)  # fmt: skip
    return costs


def _cost(case: Case, size: int, repeats: int, root: Path, base: list[float]) -> Cost:
    times, ratios, peaks, written = [], [], [], 0
    folder, arguments = root, tuple[str, ...]()
    for number in range(repeats):
        if number == 0 or case.changes:
            folder = root / str(number)
            folder.mkdir()
            arguments = tuple(case.build(size, folder))
        before, _ = run(IMPORTS, folder)
        seconds, peak = run(arguments, folder)
        after, _ = run(IMPORTS, folder)
        report = folder / "report.html"
        written = report.stat().st_size if report.is_file() else 0
        base += [before, after]
        times.append(seconds)
        ratios.append(2 * seconds / (before + after))
        peaks.append(peak)
    return Cost(size=size, seconds=statistics.median(times), written=written,
                ratio=statistics.median(ratios), megabytes=max(peaks))  # fmt: skip


def exponent(costs: Sequence[Cost], of: Callable[[Cost], float]) -> float | None:
    """Return the power with which what is above the smallest size grows; None where nothing does.

    The slope of the logarithms, by least squares over the sizes that add a fifth or more, which
    noise does not; for a + b·n it is 1, whatever a is.
    """
    first = costs[0]
    grown = [
        (math.log(one.size - first.size), math.log(of(one) - of(first)))
        for one in costs[1:]
        if of(one) - of(first) > 0.2 * of(first)
    ]
    if len(grown) < 2:
        return None
    slope = statistics.linear_regression(*zip(*grown, strict=True)).slope
    return slope if slope > 0 else None


def page(found: dict[str, list[Cost]], base: Sequence[float]) -> str:
    """Write what was found as Markdown."""
    low, _, high = statistics.quantiles(base, n=4)
    unit = statistics.median(base)
    lines = [
        "# What answers cost",
        "",
        f"Written by `python benchmarks/speed.py {_options()}`: every command in a process of "
        "its own, one thread, between two runs of `import numpy, yaml, jinja2`, which is the unit "
        "of the ratios. Times are of the processor, so that other work on the machine counts "
        "little; absolute seconds are those of the machine of this run.",
        "",
        f"The unit took {unit:.2f} s in the median of {len(base)} runs; half of them lay between "
        f"{low / unit:.2f} and {high / unit:.2f} times that, which is the noise of this machine. "
        "A ratio that differs by less says nothing.",
        "",
        "| what | n | seconds | × imports | peak memory | growth of time | of memory |",
        "| --- | --: | --: | --: | --: | --: | --: |",
    ]
    for name, costs in found.items():
        times = exponent(costs, _ratio_of)
        peaks = exponent(costs, _memory_of)
        for cost in costs:
            last = cost is costs[-1]
            report = f" ({cost.written / 1e6:.2f} MB of HTML)" if cost.written else ""
            grown = [_power(one) if last else "" for one in (times, peaks)]
            size = f"{cost.size:,}" if len(costs) > 1 else ""
            lines.append(
                f"| {name if cost is costs[0] else ''} | {size} | {cost.seconds:.2f}{report} | "
                f"{cost.ratio:.1f} | {cost.megabytes:.0f} MB | {grown[0]} | {grown[1]} |"
            )
    lines += [
        "",
        "The growth is the exponent of what is above the smallest n: 1 where the work is in "
        "proportion to n; – where fewer than two sizes add a fifth or more to the first. "
        "It is a fit to the two to four sizes that do: noise of a tenth in one of them moves it by "
        "0.05 to 0.1. "
        f"Above {STEEP} it is in bold.",
        "",
        "## Bounds",
        "",
        "| bound | measured | |",
        "| --- | --- | --- |",
        *_bounds(found),
        "",
        *_explanations(found),
    ]
    return "\n".join(lines)


def _options() -> str:
    """Options of this run, but for where it writes."""
    given = [word for word in sys.argv[1:] if word != "-o" and not word.endswith(".md")]
    return " ".join([*given, "-o docs/speed.md"])


def _power(value: float | None) -> str:
    if value is None:
        return "–"
    return f"**{value:.2f}**" if value > STEEP else f"{value:.2f}"


def _bounds(found: dict[str, list[Cost]]) -> Iterator[str]:
    """Yield a row for each bound: what it is, what was measured, and whether it is held."""
    if COLD in found:
        taken, bound = found[COLD][0].seconds, _bound(found[COLD][0])
        said = f"{COLD}: at most 1.5 × the imports beside it + 0.3 s, here {bound:.2f} s"
        yield f"| {said} | {taken:.2f} s | {_word(taken <= bound)} |"
    for name, costs in found.items():
        for what, of in (("time", _ratio_of), ("memory", _memory_of)):
            power = exponent(costs, of)
            if power is not None:
                said = f"{name}: {what} grows with a power of at most {STEEP}"
                yield f"| {said} | {power:.2f} | {_word(power <= STEEP)} |"


def _word(held: bool) -> str:
    return "held" if held else "**missed**"


def _ratio_of(cost: Cost) -> float:
    return cost.ratio


def _memory_of(cost: Cost) -> float:
    return cost.megabytes


EXPLANATIONS = {
    SEARCH: (
        "A search: the genetic sampler of Optuna reads all earlier trials of the study several "
        "times for each new one, which is quadratic work."
    ),
    LARGER: (
        "A larger catalog: the calls grow in proportion to the networks (2.9 million for three "
        "times the catalog, 8.8 million for ten times). Networks that the fit does not know are "
        "counted first, which the catalog's own are not, and what is known of ten thousand "
        "networks no longer fits the caches of the processor."
    ),
    OWN: (
        "Networks of your own: how far each timing is believed follows from all others, up to 50 "
        "times, each time work in the cube of their number. An answer takes the 1,000 closest to "
        "its lane, so that from there on nothing is added but reading; before, 840 took 5 s more "
        "and 5,000 would have taken a quarter of an hour."
    ),
    COLD: (
        "A cold `recommend`: half of its time is importing (numpy alone a fifth; click, rich "
        "and the program's own classes), a third is reading the estimator and the catalog and "
        "predicting all of its networks at once, a tenth is judging each of them and writing down "
        "what is shown, the rest printing and Python itself. It imports no schemas, templates or "
        "training packages."
    ),
}
"""Why a bound is missed, by the name of its case."""


def _explanations(found: dict[str, list[Cost]]) -> Iterator[str]:
    """Say of each bound that is missed why, where it is known."""
    for name, text in EXPLANATIONS.items():
        if name in found and _is_missed(name, found[name]):
            yield from (text, "")


def _is_missed(name: str, costs: Sequence[Cost]) -> bool:
    if name == COLD:
        return costs[0].seconds > _bound(costs[0])
    power = exponent(costs, _ratio_of)
    return power is not None and power > STEEP


def main() -> None:
    """Measure, print and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="Cases whose name holds this text.")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="Smaller sizes.")
    parser.add_argument("--large", action="store_true", help="Sizes that take minutes, too.")
    parser.add_argument("-o", "--output", type=Path, help="Markdown file to write.")
    given = parser.parse_args()
    base: list[float] = []
    found: dict[str, list[Cost]] = {}
    began = time.monotonic()
    for case in CASES:
        if given.only not in case.name:
            continue
        print(case.name, flush=True)
        sizes = case.quick if given.quick else case.sizes
        repeats = 7 if len(sizes) == 1 and not given.quick else given.repeats
        sizes += case.large if given.large else ()
        found[case.name] = measured(case, sizes, repeats, base)
        if given.output is not None:  # a long run that is stopped has told what it knew
            given.output.write_text(page(found, base), encoding="utf-8")
    print(page(found, base))
    print(f"{time.monotonic() - began:.0f} s in all")


def _bound(cold: Cost) -> float:
    """Seconds that a cold recommendation may take, by the imports that were timed beside it."""
    return 1.5 * cold.seconds / cold.ratio + 0.3


if __name__ == "__main__":
    main()
