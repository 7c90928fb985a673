"""Facts read out of free text by rule: capacities, modes, prices, dates, sources.

What no rule reads is left out; nothing is guessed.
"""

import re
from calendar import month_abbr
from typing import Any

Facts = dict[str, Any]

_MONTHS = {name: index for index, name in enumerate(month_abbr) if name}
_DATE = re.compile(
    r"(?P<iso>20\d\d-\d\d-\d\d)|(?P<month>20\d\d-(?:0\d|1[0-2]))(?!\d)"
    rf"|(?P<name>{'|'.join(_MONTHS)}) (?P<year>20\d\d)|(?P<bare>20\d\d)"
)
_ITEMS = (
    "developer kit", "starter kit", "evaluation kit", "discovery kit", "vision kit",
    "dev kit", "module", "phone", "laptop", "boxed CPU", "card", "AI HAT+ 2", "AI HAT+",
    "AI Kit", "board", "single unit", "tray",
)  # fmt: skip


def number(text: str) -> float | int | None:
    """Read a cell that holds one number; None where it is empty."""
    if not text.strip():
        return None
    value = float(text)
    return int(value) if value == int(value) else value


def date(text: str) -> str | None:
    """Return the first date of a text as YYYY, YYYY-MM or YYYY-MM-DD."""
    match = _DATE.search(text)
    if match is None:
        return None
    if match["name"]:
        return f"{match['year']}-{_MONTHS[match['name']]:02d}"
    return match["iso"] or match["month"] or match["bare"]


def present(facts: Facts) -> Facts:
    """Drop what is unknown."""
    return {key: value for key, value in facts.items() if value not in (None, "", [], {})}


def memory(text: str) -> Facts:
    """Read ``4-8 shared``, ``16 dedicated``, ``up to 64 DDR5``, ``8 DDR4 + 8 LPDDR4``."""
    shared = True if "shared" in text else False if "dedicated" in text else None
    body = re.sub(r"\(.*?\)|0\.\d+ on-chip \+ ", "", text).strip()
    upper = re.match(r"up to (\d+)", body)
    if upper:
        return present({"capacity_max_gb": int(upper[1]), "shared": shared})
    pair = re.match(r"(\d+)(?:-| or )(\d+)\b", body)
    if pair:
        low, high = int(pair[1]), int(pair[2])
        return present({"capacity_gb": low, "capacity_max_gb": high, "shared": shared})
    parts = re.findall(r"(?:^|\+ )(\d+(?:\.\d+)?)(?= |$)", body)
    total = number(str(sum(float(part) for part in parts))) if parts else None
    return present({"capacity_gb": total or None, "shared": shared})


def modes(text: str) -> list[Facts]:
    """Read ``5W;10W (MAXN)`` into modes with the power each is named for."""
    found = []
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        watts = re.search(r"(\d+(?:\.\d+)?) ?W\b", part)
        power = number(watts[1]) if watts else None
        found.append(present({"name": part, "power_w": power}))
    return found


def power_kind(source: str) -> str:
    """Tell which quantity a power figure is, by what its source measures."""
    if "freqbench" in source:
        return "rail"
    if "TDP" in source:
        return "tdp"
    return "wall" if re.search(r"wall|sbc-reviews|power-supplies|top500", source) else "unknown"


def prices(cell: dict[str, str]) -> Facts:
    """Read launch, recent and hourly price of a row of figures."""
    note = cell["price_note"]
    first = re.sub(r"\((?!approx).*?\)", "", note.partition(";")[0])
    launch = number(cell["launch_price_usd"])
    recent = number(cell["recent_price_usd"])
    hourly = re.search(r"rented: about (\d+\.\d+) USD per hour", note)
    known_launch = launch is not None and "launch price not found" not in note
    detail = cell["recent_price_date"]
    return present(
        {
            "launch": _price(launch, re.sub(r"\((?!approx).*?\)", "", first))
            if known_launch
            else None,
            "recent": _price(recent, detail) if recent is not None else None,
            "hourly_usd": float(hourly[1]) if hourly else None,
        }
    )


def _price(amount: float | int | None, text: str) -> Facts:
    inside = re.sub(r"still current.*", "", text)
    low = inside.lower()
    named = [item for item in _ITEMS if item.lower() in low]
    item = min(named, key=lambda item: low.find(item.lower()), default=None)
    size = re.search(r"\b(\d+ GB)\b", inside)
    label = " ".join(filter(None, (size[1] if size else None, item)))
    bulk = "@1ku" in low
    kind = "as bought" if "as bought" in low else "street" if "street" in low else None
    approximate = True if "approximate" in low or kind else None
    return present(
        {
            "amount_usd": amount,
            "date": date(inside),
            "item": ", ".join(filter(None, (label or None, kind))) or None,
            "quantity": 1000 if bulk else 1 if item not in (None, "module") and not kind else None,
            "approximate": approximate,
        }
    )


_EVENTS = (
    ("eol_announced", r"EOL announced (?P<d>[\d-]+)"),
    ("available_until", r"until (?:at least )?(?P<d>(?:[A-Z][a-z]{2} )?20\d\d)"),
    ("last_time_buy", r"last time buy (?P<d>[\d-]+)"),
    ("last_ship", r"last ship (?P<d>[\d-]+)"),
    ("software_end", r"JetPack \d+ EOL (?P<d>[A-Z][a-z]{2} 20\d\d)"),
)
_VERSIONS = (
    "developer kit", "module", "commercial modules", "all Orin modules", "AGX Orin Industrial",
    "AGX Xavier Industrial", "TX2i", "3 Model A+",
)  # fmt: skip
_NOTES = (
    ("not a procurable part", "consumer product, not sold as a part"),
    ("not sold as a part", "reference design, not sold as a part"),
    ("no vendor end date found", "no vendor end date found"),
    ("no EOL notice found", "no end-of-life notice found"),
    ("no end date found", "no vendor end date found"),
    ("longevity", "vendor longevity programme"),
    ("long-life", "vendor longevity programme"),
    ("automotive part", "automotive part"),
    ("laptop platform", "laptop platform"),
    ("consumer phone", "consumer product, not sold as a part"),
    ("out of production", "one kit with this chip is out of production"),
)


def lifecycle(text: str) -> Facts:
    """Read status, dated events, last software and a terse note."""
    if not text:
        return {}
    software = re.search(r"(JetPack [\d.x]+) (?:is the )?last", text)
    note = next((short for words, short in _NOTES if words in text), None)
    return present(
        {
            "status": _status(text),
            "events": _events(text),
            "last_software": software[1] if software else None,
            "note": note,
        }
    )


def _status(text: str) -> str:
    if re.match(r"discontinued|EOL:", text):
        return "eol"
    if re.search(r"EOL announced|EOL notice 20", text):
        return "eol_announced"
    return "active" if re.search(r"in production|available until", text) else "unknown"


def _events(text: str) -> list[Facts]:
    events = []
    for clause in re.split(r"[;,]", text):
        for event, pattern in _EVENTS:
            for match in re.finditer(pattern, clause):
                items = [version for version in _VERSIONS if version in text[: text.find(clause)]]
                near = [version for version in _VERSIONS if version in clause]
                follows = event == "last_ship" and items
                item = near[0] if near else items[-1] if follows else None
                events.append(present({"event": event, "date": date(match["d"]), "item": item}))
    return [event for event in events if "date" in event]


_RUNTIME_NAMES = {
    "ncnn-vulkan": "ncnn",
    "tflite-xnnpack": "tflite",
    "tflite-gpu": "tflite",
    "tflite-micro": "tflite-micro",
    "onnxruntime-cuda": "onnxruntime",
    "onnxruntime-directml": "onnxruntime",
    "onnxruntime-qnn": "onnxruntime",
    "mnn-opencl": "mnn",
    "pytorch-mps": "pytorch",
    "drp-ai translator": "drp-ai",
    "drp-ai tvm": "drp-ai",
    "mesa teflon": "teflon",
}
_VEHICLES = {"edgetpu delegate": "edgetpu"}


def runtimes(text: str) -> tuple[list[str], dict[str, str]]:
    """Return names of runtimes as measurements spell them, and version limits."""
    names: list[str] = []
    limits: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        bare, _, detail = part.partition(" (")
        detail = detail.rstrip(")")
        if bare == "opencl":
            names += [name.strip() for name in detail.split(",")] if detail else []
            continue
        found = [_RUNTIME_NAMES.get(name, name) for name in bare.split(" / ")]
        names += [_VEHICLES.get(detail, name) for name in found]
        if detail.startswith("<="):
            limits[found[0]] = detail
    return list(dict.fromkeys(names)), limits


_NOISE = (
    (r"\(?(?:as )?quoted in (?:id \d+|public notes|$)\)?", "(second hand)"),
    (r"quoted in id \d+", "(second hand)"),
    (r"\(secondary note, ?\)", "(second hand)"),
    (r"\(table citing ([^)]*)\)", r"\1 (second hand)"),
    (r"public notes \(?[^);]*\)?, ?\d+", "(second hand)"),
    (r"\(?public notes ?\)?", "(second hand)"),
    (r"from general knowledge", "general knowledge"),
    (r"(?:chip column of the )?measurement CSVs?", "published measurements"),
    (r" as (?:quoted )?in$", " (second hand)"),
    (r" ?\(second hand\) ;", " (second hand);"),
    (r"; no-rise statement quoted in$|, secondary(?=;)|; quoted in$", ""),
    (r"; ?\(\$?\d*\)$|;\s*$|\(\s*\)", ""),
)


def sources(text: str) -> dict[str, str]:
    """Split ``compute: … | memory: …`` into tidy sources by group."""
    groups = {}
    for part in text.split(" | "):
        group, _, source = part.partition(": ")
        tidy = source.strip()
        for pattern, replacement in _NOISE:
            tidy = re.sub(pattern, replacement, tidy)
        tidy = re.sub(r"(\(second hand\)[ ,]*)+(?=\(second hand\))", "", tidy)
        tidy = re.sub(r"\s+", " ", tidy).strip(" ;,")
        tidy = "second-hand note" if tidy == "(second hand)" else tidy
        if tidy and not re.fullmatch(r"as \w+ row", tidy):
            groups[group] = tidy
    return groups
