"""Feed every reader bytes that reach code which no bytes reached before, and count what breaks.

    python -m benchmarks.parsers --minutes 1

Atheris chooses the bytes by the branches of the program that they reach. Each reader has so many
minutes, in a process of its own. What may come of bytes is a value or one of the advisor's errors,
of one line. The exit code is 1 where anything else came.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

SLOW = 20.0
"""Seconds of processor time that reading a small file never takes."""
Read = Callable[[bytes, Path], object]


def _at(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _request(content: bytes, path: Path) -> object:
    from advisor.core.question import Stated
    from advisor.core.request import Request
    from advisor.hardware.library import read_mapping

    held = read_mapping(_at(path, content))
    return Request.read(Stated(options=held, origin="x")).command()


def _profile(content: bytes, path: Path) -> object:
    from advisor.hardware.library import read_profile

    return read_profile(_at(path, content))


def _assumptions(content: bytes, path: Path) -> object:
    from advisor.hardware.library import read_mapping
    from advisor.procurement.assumptions import assumptions

    return assumptions(read_mapping(_at(path, content)), "x")


def _result(content: bytes, path: Path) -> object:
    from advisor.reports.json import read

    return read(_at(path, content))


def _table(content: bytes, path: Path) -> object:
    from advisor.core.lane import Lane
    from advisor.measuring.reading import filling, read_table

    lane = Lane(device="board", unit="cpu", runtime="ncnn", precision="fp32", threads=4, batch=1)
    return read_table(_at(path, content), filling(lane), ["resnet18", "resnet50"])


def _onnx(content: bytes, path: Path) -> object:
    from advisor.networks.onnx_file import describe_onnx

    return describe_onnx(_at(path, content), resolution=64)


def _words(content: bytes, _: Path) -> object:
    from advisor.core.candidate import Candidate
    from advisor.core.quantity import Unit, parse

    text = content[1:].decode("utf-8", "replace")
    if not content or content[0] % 2:
        return Candidate.parse(text)
    units = list(Unit)
    return parse(text, units[content[0] // 2 % len(units)], option="--x")


def _seeds() -> dict[str, Callable[[], Sequence[bytes]]]:
    from tests.fuzz import probes

    return {
        "request file": lambda: [probes.REQUEST],
        "profile": lambda: [probes.shipped("jetson-nano")],
        "assumptions": lambda: [probes.ASSUMPTIONS],
        "result": probes.sound_results,
        "figures": lambda: [
            probes.figures([["resnet50", "30.5"]]),
            b'[{"timm_name": "resnet18", "latency_ms": 11.8}]',
            b"I mean = 11.8 ms\nthroughput: 80 qps\n",
        ],
        "ONNX": lambda: [probes.sound_onnx()],
        "words": lambda: [b"\1resnet18.a1_in1k@96:width=0.5", b"\0 10 ms", b"\0x1e3", b"\0002.5GB"],
    }


READERS: dict[str, Read] = {
    "request file": _request,
    "profile": _profile,
    "assumptions": _assumptions,
    "result": _result,
    "figures": _table,
    "ONNX": _onnx,
    "words": _words,
}


def feed(name: str, seconds: float, folder: Path) -> None:
    """Feed one reader in this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=["advisor"]):
        read = READERS[name]
        from advisor.errors import AdvisorError, one_line

        corpus = folder / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(_seeds()[name]()):
            (corpus / str(number)).write_bytes(seed)
            with suppress(AdvisorError):  # imports what reading needs
                read(seed, folder / "read")
    seen: set[str] = set()

    def once(content: bytes) -> None:
        begun, fault = time.process_time(), ""
        try:
            read(content, folder / "read")
        except AdvisorError as error:
            if one_line(str(error)) != str(error):
                fault = f"no printable line: {str(error)!r}"[:200]
        except (Exception, RecursionError) as error:
            fault = f"{type(error).__name__}: {error}"[:200]
        if time.process_time() - begun > SLOW:
            fault = f"{time.process_time() - begun:.0f} s"
        if fault and fault not in seen:
            seen.add(fault)
            print(f"{name}: {fault} | {content!r:.400}", flush=True)

    arguments = [sys.argv[0], f"-max_total_time={seconds:.0f}", "-verbosity=1", "-max_len=20000"]
    atheris.Setup([*arguments, "-timeout=60", "-rss_limit_mb=4096", str(corpus)], once)
    atheris.Fuzz()


def fed(name: str, seconds: float) -> tuple[int, list[str]]:
    """Feed one reader in a process of its own; return how often, and what was found."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.parsers", "--only", name, folder, str(seconds)],
            env={**os.environ, "ADVISOR_HOME": f"{folder}/home"},
            capture_output=True,
            text=True,
            check=False,
        )
    ended = re.search(r"Done (\d+) runs", done.stderr)
    found = [line for line in done.stdout.splitlines() if line.startswith(f"{name}: ")]
    if ended is None:
        found.append(f"{name}: ended by itself: {done.stderr.strip()[-600:]}")
    return int(ended[1]) if ended else 0, found


def main() -> int:
    """Feed all readers one after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0, help="for each reader")
    parser.add_argument("--readers", default=",".join(READERS), help="separated by commas")
    parser.add_argument("--only", nargs=3, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.only:
        name, folder, seconds = wanted.only
        feed(name, float(seconds), Path(folder))
        return 0
    total, findings = 0, 0
    for name in wanted.readers.split(","):
        count, found = fed(name, 60 * wanted.minutes)
        total, findings = total + count, findings + len(found)
        print(f"{name:>12}: {count:8,} inputs, {len(found):3} findings", flush=True)
        print("".join(f"  {line}\n" for line in found), end="", flush=True)
    print(f"{total:,} inputs, {findings} findings")
    return int(findings > 0)


if __name__ == "__main__":
    sys.exit(main())
