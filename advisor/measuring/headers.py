"""What the columns of a table of measurements mean, by headers as people write them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from advisor.errors import UsageError

_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "milliseconds", "millisecond"), 1e-3),
    **dict.fromkeys(("us", "usec", "µs", "μs", "microseconds", "microsecond"), 1e-6),
    **dict.fromkeys(("ns", "nanoseconds"), 1e-9),
}
TIMES = ("s", "ms", "us", "ns")
_BYTES = {"b": 1.0, "kb": 1e3, "kib": 2**10, "mb": 1e6, "mib": 2**20, "gb": 1e9, "gib": 2**30}
_JOULES = {"j": 1.0, "mj": 1e-3, "uj": 1e-6, "µj": 1e-6, "μj": 1e-6}
UNIT_NAMES = {1.0: "seconds", 1e-3: "milliseconds", 1e-6: "microseconds", 1e-9: "nanoseconds"}

_ALSO: Mapping[str, tuple[str, ...]] = {
    "timm_name": ("timm name", "network", "network name", "model", "model name", "modelname",
                  "arch", "architecture", "net", "backbone", "name", "model id"),
    "input_h": ("input h", "resolution", "res", "img size", "imgsz", "image size", "input size",
                "input resolution", "infer img size", "input", "input shape", "size", "side",
                "height", "h"),
    "input_w": ("input w", "width", "w"),
    "batch": ("batch", "batch size", "batchsize", "bs", "infer batch size"),
    "precision": ("precision", "dtype", "data type", "quantization", "amp dtype"),
    "runtime": ("runtime", "backend", "engine", "framework", "ep", "provider", "format"),
    "threads": ("threads", "num threads", "nthreads", "n threads", "thread count"),
    "unit": ("unit", "processor", "compute unit"),
    "device": ("device", "device id", "board", "hardware", "machine"),
    "date": ("date", "day"),
    "runtime_opts": ("runtime opts", "runtime options"),
    "session": ("session", "repetition", "run"),
    "samples_ms": ("samples ms",),
}  # fmt: skip
"""Canonical column by header, without case and punctuation, the most telling header first."""
_ROLE_OF = {header: role for role, headers in _ALSO.items() for header in headers}
_CORE = frozenset(
    ("latency", "time", "duration", "inference", "median", "mean", "avg", "average", "p50")
)
_BESIDE = frozenset(
    ("model", "infer", "exec", "execution", "forward", "step", "total", "per", "image", "im",
     "batch", "of", "the")
)  # fmt: skip
_TYPICAL = frozenset(("median", "p50"))
_AVERAGE = frozenset(("mean", "avg", "average"))
_RATE = re.compile(
    r"(?:infer(?:ence)? )?(?:fps|ips|qps|throughput)\b.*|.*\b(?:imgs?|images?|samples?|frames?|"
    r"inferences?|queries)(?: per | )(?:s|sec|second)\b.*"
)
_STEP_TIME = "infer step time"
"""timm's ``benchmark.py`` writes milliseconds there and does not say so."""


@dataclass(frozen=True, slots=True)
class FigureColumn:
    """A column of figures: its header and what one of its units is in SI; None where unstated."""

    header: str
    factor: float | None


@dataclass(frozen=True, slots=True)
class Columns:
    """Which header holds what."""

    text: Mapping[str, str]
    """Header by canonical column."""
    latency: FigureColumn | None
    throughput: str
    """Header of images a second, else empty."""
    memory: FigureColumn | None
    energy: FigureColumn | None
    unknown: tuple[str, ...]


def understood(
    header: Sequence[str], chosen: Mapping[str, str], known: Sequence[str] = ()
) -> Columns:
    """Tell what each column is.

    ``chosen`` names headers by canonical column, as the user said; ``known`` are further columns
    that are no surprise. Raises UsageError where two columns may be the same thing.
    """
    for role, name in chosen.items():
        if name not in header:
            raise UsageError(f"--column {role}={name}: columns are {', '.join(header)}")
    left = [name for name in header if name not in chosen.values()]
    text = _texts(left) | {r: n for r, n in chosen.items() if r in _ALSO}
    rest = [name for name in left if name not in text.values()]
    times = [name for name in rest if _is_time(name)]
    latency = chosen.get("latency_ms") or _latency(times)
    rates = [name for name in rest if _RATE.fullmatch(_plain(name)) and not _is_time(name)]
    throughput = chosen.get("throughput_ips") or ("" if latency and not rates else
                                                  _only("throughput_ips", rates))  # fmt: skip
    memory = _measured(rest, ("memory", "peak memory", "ram"), _BYTES)
    energy = _measured(rest, ("energy",), _JOULES)
    used = {latency, throughput, *(q.header for q in (memory, energy) if q), *times}
    return Columns(
        text=text,
        latency=FigureColumn(latency, _factor(latency)) if latency else None,
        throughput=throughput,
        memory=memory,
        energy=energy,
        unknown=tuple(sorted(name for name in rest if name not in used and name not in known)),
    )


def header_of(role: str, header: Sequence[str]) -> str:
    """Return the header of a column of words, such as ``device``; empty where there is none."""
    return _texts(header).get(role, "")


def seconds(unit: str) -> float | None:
    """What one of a unit of time is in seconds; None where it is no such unit."""
    return _SECONDS.get(unit.split("/", maxsplit=1)[0].strip().rstrip("."))


def _plain(header: str) -> str:
    """Lower-case words of a header, with the unit in brackets as the last."""
    return " ".join(re.findall(r"[a-z0-9µμ]+", header.lower()))


def _texts(header: Sequence[str]) -> dict[str, str]:
    """Columns of words and whole numbers; of several, the one with the most telling header."""
    found: dict[str, str] = {}
    for name in header:
        plain = _plain(name)
        role = name if name in _ALSO else _ROLE_OF.get(plain, "")
        if not role:
            continue
        order = (role, *_ALSO[role])
        if role not in found or order.index(plain) < order.index(_plain(found[role])):
            found[role] = name
        if name == role:
            found[role] = name
    return found


def _is_time(header: str) -> bool:
    words = _plain(header).split()
    if header == "latency_ms" or _plain(header) == _STEP_TIME:
        return True
    named = [word for word in words if word not in _SECONDS]
    if not named:
        return bool(words) and words[-1] in _SECONDS
    return bool(_CORE & set(named)) and set(named) <= _CORE | _BESIDE


def _latency(times: Sequence[str]) -> str:
    """The column of one pass's time: the median before the mean, never the least or the most."""
    if "latency_ms" in times:
        return "latency_ms"
    ranks: dict[int, list[str]] = {}
    for name in times:
        words = set(_plain(name).split())
        ranks.setdefault(0 if words & _TYPICAL else 2 if words & _AVERAGE else 1, []).append(name)
    return _only("latency_ms", ranks[min(ranks)]) if ranks else ""


def _only(role: str, names: Sequence[str]) -> str:
    if len(names) > 1:
        shown = " or ".join(repr(name) for name in names)
        raise UsageError(f"the {role} may be {shown}; say which: --column {role}={names[0]!r}")
    return names[0] if names else ""


def _factor(header: str) -> float | None:
    """Seconds of one unit of a header such as ``Latency (ms)`` or ``latency_s``."""
    if _plain(header) == _STEP_TIME:
        return 1e-3
    words = _plain(header).split()
    return next((_SECONDS[word] for word in reversed(words) if word in _SECONDS), None)


def _measured(
    header: Sequence[str], names: Sequence[str], units: Mapping[str, float]
) -> FigureColumn | None:
    for name in header:
        words = _plain(name).split()
        if len(words) > 1 and " ".join(words[:-1]) in names and words[-1] in units:
            return FigureColumn(name, units[words[-1]])
    return None
