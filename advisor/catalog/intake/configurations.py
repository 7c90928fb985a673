"""Rules for what, inside one runtime and precision, really runs differently.

The empty variant is the ordinary or best configuration of a lane.
"""

import re
from collections import Counter, defaultdict

from advisor.catalog.intake.rows import RawRow

_LITTLE = re.compile(r"powersave=1\b")
_DPU = (
    # Vitis AI: what the FPGA is loaded with decides the speed, and it changed between releases.
    (re.compile(r"(\d+) ?PE"), "{0} PE"),
    (re.compile(r"(\d+) ?AIEs"), "{0} AIE"),
    (re.compile(r"(\d+) DPUCAHX8\S* kernels"), "{0} kernels"),
    (re.compile(r"(\d+) ?\* ?(?:DPUCZDX8G )?B4096F?"), "{0} x B4096"),
    (re.compile(r"(\d+) ?\* ?(?:C20B\S+)"), "{0} x C20B14"),
)
_DPU_OPTIONS = (re.compile(r"aie(DWC|MISC)"), re.compile(r"(DWC|MISC) kernels"))
_CLOCK = re.compile(r"(\d{2,4}) ?M[Hh]z")


def _dpu(row: RawRow) -> str:
    """Return the configuration and clock of the DPU that the FPGA was loaded with."""
    options = row.raw["runtime_opts"]
    parts = []
    for pattern, text in _DPU:
        found = pattern.search(options)
        if found:
            parts.append(text.format(found[1]))
            break
    parts += [found[1] for pattern in _DPU_OPTIONS if (found := pattern.search(options))][:1]
    clocks = _CLOCK.findall(options)
    parts += [f"{clocks[-1]} MHz"] if clocks else []
    return " ".join(parts)


def _ordinary_dpu(rows: list[RawRow]) -> dict[str, str]:
    """Find each board's most published configuration, which needs no name."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row.source == "vitis-ai-model-zoo":
            counts[row.device][_dpu(row)] += 1
    return {device: max(sorted(c), key=c.__getitem__) for device, c in counts.items()}


def _vitis(row: RawRow, ordinary: str) -> list[str]:
    """Return the configuration where it is not the ordinary one, and how it was fed."""
    configuration = _dpu(row)
    parts = [] if configuration == ordinary else [configuration]
    return [*parts, "multi-thread"] if "multi-thread" in row.raw["runtime_opts"] else parts


_OPTION_PARTS = (
    # (source, pattern in the options, variant)
    ("nvidia-jetson-benchmarks", re.compile(r"GPU batch \d \+ 2 DLA"), "GPU and 2 DLA"),
    ("paddle-lite-bench", re.compile(r"armv7"), "armv7"),
    ("paddle-lite-bench", re.compile(r"sparse"), "sparse weights"),
    ("tflite-hosted-models", re.compile(r"NNAPI"), "NNAPI"),
    ("ti-edgeai-modelmaker", re.compile(r"1 of 4"), "1 of 4 cores"),
    ("qai-hub-models", re.compile(r"precompiled"), "precompiled"),
    ("hailo-model-zoo", re.compile(r"performance mode"), "performance mode"),
)


def _of_row(row: RawRow, ordinary: dict[str, str]) -> list[str]:
    """Return the parts of a variant that one row shows by itself."""
    options, chip = row.raw["runtime_opts"], row.raw["chip"]
    if row.source == "vitis-ai-model-zoo":
        return _vitis(row, ordinary[row.device])
    parts = [
        text
        for source, pattern, text in _OPTION_PARTS
        if source == row.source and pattern.search(options)
    ]
    if row.raw["unit"] == "cpu" and _LITTLE.search(options):
        parts.append("little cores")
    if row.raw["unit"] == "cpu" and "listed in a Vulkan run" in row.notes:
        parts.append("in a Vulkan run")
    if "32-bit" in options and "ARM64" not in chip:
        parts.append("32-bit")
    if "verclock" in chip or "verclock" in row.raw["device"]:
        parts.append("overclocked")
    if "mostly CPU fallback" in row.notes:
        parts.append("fallback from the npu")
    return parts


def _adapters(rows: list[RawRow]) -> dict[tuple[str, str], set[str]]:
    """Collect the GPUs that ncnn printed, by device and unit."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        if row.raw["unit"] == "gpu" and row.raw["runtime"] == "ncnn":
            found[row.device, "gpu"].add(_adapter(row))
    return found


def _adapter(row: RawRow) -> str:
    name = row.raw["chip"].split(" | ")[0]
    direct3d = re.search(r"Direct3D12 \((.*)\)", name)
    return re.sub(r"\(R\)|\(TM\)|NVIDIA ", "", direct3d[1] if direct3d else name).strip()


def set_variants(rows: list[RawRow]) -> None:
    """Give every row its variant; a second GPU of a machine is told by its name."""
    adapters = _adapters(rows)
    ordinary = _ordinary_dpu(rows)
    for row in rows:
        parts = _of_row(row, ordinary)
        mine = adapters.get((row.device, row.raw["unit"]), set())
        if len(mine) > 1 and row.raw["runtime"] == "ncnn":
            parts.append(_adapter(row))
        row.variant = " ".join(dict.fromkeys(parts)).replace(",", "").strip()
