"""Which device a raw row belongs to, and what the device is called."""

import re
from collections.abc import Iterable, Mapping

from advisor.catalog.intake.importing import SAME_DEVICE
from advisor.catalog.intake.rows import RawRow

Row = Mapping[str, str]

_FIGURES_OF = {"macbook-pro": "macbook-pro-m1"}
_CARD = re.compile(r"(geforce|nvidia|rtx|titan|amd-radeon|intel-uhd)-")


def device_of(row: RawRow) -> str | None:
    """Return the profile id of a measurement; None where it was taken on another device.

    A graphics card has no CPU: such rows ran on an unnamed host.
    """
    if row.raw["unit"] == "cpu" and _CARD.match(row.device):
        return None
    return row.device


def figures_of(raw: str) -> str | None:
    """Return the profile id of a row of figures; None where it repeats another device."""
    return None if raw in SAME_DEVICE else _FIGURES_OF.get(raw, raw)


def aliases_of(device: str, measured: Iterable[RawRow]) -> list[str]:
    """Return the raw ids that lead to the device, besides its own."""
    same = {raw for raw, target in SAME_DEVICE.items() if target == device}
    return sorted((same | {row.raw["device_id"] for row in measured}) - {device})


_CHIPS = re.compile(
    r"Tegra (?:X1|X2|Xavier|Orin)|Snapdragon (?:X Elite|8 Elite Gen \d|8 Elite(?: for Galaxy)?"
    r"|\d Gen \d(?: for Galaxy)?|\d{3}G?\+?)|Kirin ?\d+(?: 5G)?|Dimensity \d+|BCM\d{4}"
    r"|RK\d{4}|RV\d{4}|RZ/V2L|A311D|C308X|S905D3|i\.MX ?\d+\w*(?: Plus)?|AM\d\dP?A\b|TDA4VM"
    r"|STM32\w+\d|Hailo-\w+|QC[SM]\d{4}|SA\d{4}P?|Apple (?:A\d+|M\d)|(?<!Cortex-)\bA1[2-9]\b"
    r"|MT\d{4}|Google Tensor(?: G\d)?|Tensor G1|JH7110"
    r"|Core i\d-\w+|Xeon E5-\w+ v\d|GA10\d|GV100|TU104"
    r"|GP100|AD102|GB202|GA100|A100|T4\b|V100|Edge TPU"
)
_BARE_APPLE = re.compile(r"A1[2-9]")
_SAME_CHIP = {"Tensor G1": "Google Tensor"}
_NO_CHIP = re.compile(r"^\[|^x\d|^without|GHz\) ubuntu|^\d+GB$|^[\d.]+GHz$")


def chip_of(texts: list[str]) -> str | None:
    """Return the chip named in the first text that names one, in one spelling."""
    for text in texts:
        match = _CHIPS.search(text.replace("Rk", "RK"))
        if match:
            chip = re.sub(r"Kirin ?", "Kirin ", match[0])
            chip = f"Apple {chip}" if _BARE_APPLE.fullmatch(chip) else chip
            return _SAME_CHIP.get(chip, chip)
    return None


def described(texts: list[str]) -> str | None:
    """Return the first chip text that describes a chip at all, where none is named."""
    hosts = [cleaned(text.rpartition(" | ")[2]) for text in texts]
    return next((text for text in hosts if text and not _NO_CHIP.search(text)), None)


def cleaned(text: str) -> str:
    """Drop operating systems, stray brackets and footnotes from a chip or unit name."""
    text = re.sub(r"\) (?:fedora|ubuntu|Armbian|StationOS|aarch64).*$", ")", text)
    text = re.sub(r" of (?:Desktop|Notebook)$", "", text)
    text = re.sub(r" ?\((?:named only|host per|model not|proxy|Proxy).*$", "", text)
    text = text.strip(" .")
    text = re.sub(r"\((?:R|TM)\)|[®™]", "", text)
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    if text.count(")") > text.count("("):
        text = text.rstrip(")")
    return re.sub(r"\s+", " ", text).strip()
