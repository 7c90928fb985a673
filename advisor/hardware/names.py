"""Names of devices as people write them: which device is meant, which several, or which is near.

A spelling is compared without case, punctuation and makers' names, first with what devices call
themselves (id, display name, aliases), then with the names of their chips, last without tails
such as ``Model B`` or ``developer kit``. What is left over has to mean nothing: ``Orange Pi 5
Max`` is not an Orange Pi 5.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, cached_property
from math import log
from typing import Generic, Protocol, TypeVar
from unicodedata import normalize

Words = tuple[str, ...]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


MAKERS = _set(
    "nvidia amd intel qualcomm apple google huawei samsung xiaomi rockchip amlogic allwinner "
    "broadcom nxp freescale xilinx texas instruments stmicroelectronics renesas khadas radxa "
    "mediatek hisilicon starfive lattepanda microsoft asus axera horizon sophgo milk unisoc"
)
SERIES = _set("jetson geforce tesla radeon alveo kria versal core platinum gold silver bronze stm")
"""Words of product lines that are often left out."""
TAILS = _set(
    "board module developer development kit devkit dev evaluation eval evk sbc gpu cpu chip "
    "processor soc card phone computer generic"
)
"""Words that may follow a name without changing what it means."""
BESIDE = TAILS | _set(
    "the with on in and device machine edition ram memory lpddr gb gib inch pcie usb ai npu tpu "
    "accelerator acceleration"
)
"""Words that may stand anywhere beside a whole name."""
VARIANTS = _set(
    "laptop mobile max pro ultra ti super plus mini lite nx edge se xl s x a b c d e h k u f g"
)
"""Words that tell one model from another, never to be passed over."""
_MARKS = re.compile(r"[™®©]|\((?:r|tm)\)", re.IGNORECASE)
_SPELLINGS = (
    (r"[_-]", " "),
    ("树莓派", " raspberry pi "),
    ("麒麟", " kirin "),
    ("骁龙", " snapdragon "),
    (r"(?<=\w) ?\+| with ", " plus "),
    (r"\bmodel(?:l|lo|o)? *(?=[ab]\b)", ""),
    (r"\b(orange|banana|lichee|phytium) ?pi\b", r"\1pi"),
    (r"\bopi(?=\d|\b)", "orangepi"),
    (r"\bbpi(?= |\b)", "bananapi"),
    (r"\b(?:raspberry ?pi|raspi|rpi|pi)(?=\d|\b)", " rpi "),
    (r"\braspberry(?= ?\d)", " rpi "),
    (r"\brpi *([45]) ?b\b", r"rpi \1 "),
    (r"\bdev ?board\b", "dev board"),
    (r"\bm\.2\b", " "),
    (r"\bi\.?mx ?(?=\d)", "imx"),
    (r"\bstm32(?=[a-z])", "stm "),
    (r"\bsd ?(?=\d{3}\b)", "snapdragon "),
    (r"^(?:ti|st) ", ""),
)
"""One way to write what is written in several: pattern and replacement, in this order."""
_MEMORY = re.compile(r"\(?\b(\d{1,3}) ?gi?b\b(?: ram)?\)?")
_YEAR = re.compile(r"20[12]\d")
SHORTEST = 3
"""Letters that a name needs to be recognised amid other words."""
LONGEST = 200
"""Letters of a spelling; in a longer one no name is looked for, which would take minutes."""
FEW = 8
"""Most devices that are listed for the beginning of a name."""


class Named(Protocol):
    """A device in a list of devices."""

    @property
    def id(self) -> str:
        """What scripts hold."""

    @property
    def name(self) -> str:
        """Display name."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names of this device."""

    @property
    def chip_aliases(self) -> tuple[str, ...]:
        """Names of its chip, which other devices may share."""


D = TypeVar("D", bound=Named)


@dataclass(frozen=True, slots=True)
class Meaning(Generic[D]):
    """What a spelling means: one device, several, or none."""

    devices: tuple[D, ...]
    """One where the name is clear, several where it fits all of them, none where nobody has it."""
    related: tuple[D, ...] = ()
    """Further devices that the words may have meant: of the same chip, or of a longer name."""


@dataclass(frozen=True)
class DeviceNames(Generic[D]):
    """All names of a list of devices."""

    devices: Sequence[D]

    def meaning(
        self, spelling: str, allows: Callable[[D, float], bool] | None = None
    ) -> Meaning[D]:
        """Tell which device a spelling means.

        ``allows`` tells whether a device is sold with a memory of so many GB; without it a size
        in the spelling has to be part of the name.
        """
        if len(spelling) > LONGEST:
            return Meaning(())
        shown = [d for d in self.devices if spelling.lower().strip() in (d.id, d.name.lower())]
        if len(shown) == 1:
            return self._with_related(shown[0], spelling)
        for key in map("".join, _readings(spelling)):
            if key in self._own:
                return self._chosen(self._own[key], key, spelling)
            if key in self._chips:
                return Meaning(tuple(self._chips[key]))
        size = _MEMORY.search(spelling.lower())
        if size and allows is not None:
            return self._with_memory(spelling, size, allows)
        begun = self._begun_by(_bare(_words(spelling)))
        return Meaning(tuple(self._within(spelling) or (begun if len(begun) > 1 else ())))

    def nearest(self, spelling: str, count: int = 3) -> list[D]:
        """Devices whose names share the most telling words and the nearest numbers."""
        if len(spelling) > LONGEST:
            return []
        scored = [(self._likeness(spelling, device), device) for device in self.devices]
        best = max((score for score, _ in scored), default=0.0)
        near = [(score, d) for score, d in scored if score > max(0.5 * best, 1.0)]
        return [device for _, device in sorted(near, key=lambda pair: (-pair[0], pair[1].id))][
            :count
        ]

    def _with_memory(
        self, spelling: str, size: "re.Match[str]", allows: Callable[[D, float], bool]
    ) -> Meaning[D]:
        """Take a size of memory as a detail of the devices that are sold with it."""
        without = f"{spelling[: size.start()]} {spelling[size.end() :]}"
        meant = self.meaning(without)
        kept = tuple(d for d in meant.devices if allows(d, float(size[1])))
        return Meaning(kept, meant.related if kept else ())

    def _chosen(self, owners: Sequence[D], key: str, spelling: str) -> Meaning[D]:
        """Settle between the owner of a name and others that share it as the name of a chip."""
        if len(owners) > 1:
            sharing = [d for d in self._chips.get(key, ()) if d not in owners]
            return Meaning((*owners, *sharing))
        owner = owners[0]
        sharing = [d for d in self._chips.get(key, ()) if d.id != owner.id]
        itself = any("".join(r) == key for n in (owner.id, owner.name) for r in _readings(n))
        named_so = [d for d in sharing if _begins(_bare(_words(d.name)), _bare(_words(spelling)))]
        if named_so and not itself:
            return Meaning((owner, *sharing))
        return self._with_related(owner, spelling)

    def _with_related(self, device: D, spelling: str) -> Meaning[D]:
        words = _bare(_words(spelling))
        key = "".join(words)
        others = [*self._own.get(key, ()), *self._chips.get(key, ()), *self._begun_by(words)]
        related = {other.id: other for other in others if other.id != device.id}
        return Meaning((device,), tuple(related.values()))

    def _begun_by(self, words: Words) -> list[D]:
        """Devices whose display name begins with these words."""
        if len("".join(words)) < 2:
            return []
        return [
            d
            for d in self.devices
            if _begins(_bare(_words(d.name)), words) or _begins(_words(d.name), words)
        ]

    def _within(self, spelling: str) -> list[D]:
        """Find the devices whose whole name stands in the spelling, beside words of no weight."""
        asked = _words(spelling)
        found: dict[str, tuple[int, D]] = {}
        for device in self.devices:
            for name in (device.name, *device.aliases):
                words = _bare(_words(name))
                size = len("".join(words))
                if size >= SHORTEST and self._says_no_more(asked, words, device):
                    found[device.id] = max(
                        (size, device), found.get(device.id, (0, device)), key=lambda p: p[0]
                    )
        longest = max((size for size, _ in found.values()), default=0)
        return [device for size, device in found.values() if size == longest]

    def _says_no_more(self, asked: Words, name: Words, device: D) -> bool:
        left = _without(asked, name)
        if left is None:
            return False
        for other in sorted((*device.chip_aliases, *device.aliases), key=len, reverse=True):
            left = _without(left, _words(other)) or left
        telling = any(word.isdigit() and len(word) >= 4 for word in name)
        return all(
            word in BESIDE | MAKERS | SERIES
            or _YEAR.fullmatch(word)
            or (word.isdigit() and following in ("inch", "gb"))
            or (telling and word.isalpha() and word not in VARIANTS and word not in self._rarity)
            for word, following in zip(left, (*left[1:], ""), strict=True)
        )

    def _likeness(self, spelling: str, device: D) -> float:
        names = [device.id, device.name, *device.aliases]
        own = max(self._shared(spelling, name) for name in names)
        return max(
            own, *(0.6 * self._shared(spelling, chip) for chip in ("", *device.chip_aliases))
        )

    def _shared(self, spelling: str, name: str) -> float:
        asked, other = set(_words(spelling)), set(_words(name))
        alike = SequenceMatcher(None, "".join(sorted(asked)), "".join(sorted(other)))
        may_be = alike.real_quick_ratio() > 0.85 and alike.quick_ratio() > 0.85
        typo = 6.0 * alike.ratio() if asked and may_be else 0.0
        together, theirs = _together(spelling), _together(name)
        common = (asked & other) | (together & theirs)
        if not any(len(word) >= 3 or not word.isdigit() for word in common):
            return typo
        shared = sum(self._weight(word) for word in common)
        apart = sum(self._weight(word) for word in other - asked if not word.isdigit())
        lacking = sum(
            self._weight(word) for word in asked - other if len(word) > 2 and word.isalpha()
        )
        numbers = {word for word in other - asked if word.isdigit()}
        close = sum(
            max((_closeness(number, one) for one in numbers), default=0.0)
            for number in asked - other
            if number.isdigit()
        )
        return max(typo, shared + 2.0 * close - 0.3 * apart - lacking)

    def _weight(self, word: str) -> float:
        """How much a shared word tells: the rarer, the more."""
        return self._rarity.get(word, 0.0) * (0.3 if word in BESIDE or len(word) == 1 else 1.0)

    @cached_property
    def _rarity(self) -> Mapping[str, float]:
        seen: dict[str, int] = defaultdict(int)
        for device in self.devices:
            names = (device.id, device.name, *device.aliases, *device.chip_aliases)
            for word in {w for name in names for w in (*_words(name), *_together(name))}:
                seen[word] += 1
        return {word: log(1 + len(self.devices) / count) for word, count in seen.items()}

    @cached_property
    def _own(self) -> Mapping[str, list[D]]:
        return self._by_key(lambda d: (d.id, d.name, *d.aliases))

    @cached_property
    def _chips(self) -> Mapping[str, list[D]]:
        return self._by_key(lambda d: d.chip_aliases)

    def _by_key(self, names: Callable[[D], Iterable[str]]) -> Mapping[str, list[D]]:
        """Devices by each reading of their names; whose name says just this hides the others."""
        found: dict[str, dict[bool, dict[str, D]]] = defaultdict(lambda: defaultdict(dict))
        for device in self.devices:
            for name in names(device):
                for place, words in enumerate(_readings(name)):
                    found["".join(words)][place > 1][device.id] = device
        return {key: list(ranks[min(ranks)].values()) for key, ranks in found.items() if key}


def _readings(spelling: str) -> Iterator[Words]:
    """The words of a spelling: all, without makers, without tails; then without brackets."""
    for text in (spelling, re.sub(r"\([^)]*\)", " ", spelling)):
        words = _words(text)
        yield from (words, _bare(words), _tailless(_bare(words)))


@cache
def _words(spelling: str) -> Words:
    """Lower-case words and numbers, each spelling in one way."""
    text = normalize("NFKC", _MARKS.sub(" ", spelling)).lower()
    for pattern, plain in _SPELLINGS:
        text = re.sub(pattern, plain, text)
    return tuple(re.findall(r"[a-z]+|\d+", text))


@cache
def _together(spelling: str) -> frozenset[str]:
    """Letters and digits that are written together, such as ``m1`` or ``vim3``."""
    runs = re.findall(r"[a-z0-9]+", _MARKS.sub(" ", spelling).lower())
    return frozenset(run for run in runs if not run.isalpha() and not run.isdigit())


def _bare(words: Words) -> Words:
    """Leave out makers and product lines, where anything else is said."""
    return tuple(w for w in words if w not in MAKERS | SERIES) or words


def _tailless(words: Words) -> Words:
    """Leave out what may follow a name, such as ``developer kit`` or the B of a Raspberry Pi."""
    while len(words) > 1 and words[-1] in TAILS:
        words = words[:-1]
    return words[:2] if len(words) == 3 and words[0] == "rpi" and words[2] == "b" else words


def _begins(words: Words, beginning: Words) -> bool:
    return len(words) > len(beginning) and words[: len(beginning)] == beginning


def _without(words: Words, part: Words) -> Words | None:
    """Take out a part that stands in one piece; None where it does not."""
    for start in range(len(words) - len(part) + 1):
        if part and words[start : start + len(part)] == part:
            return words[:start] + words[start + len(part) :]
    return None


def _closeness(one: str, other: str) -> float:
    """How near two model numbers of one length are, by leading digits and distance, 0 to 1."""
    if len(one) != len(other):
        return 0.0
    same = next((i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), len(one))
    distance = abs(int(one) - int(other)) / max(int(one), int(other), 1)
    return 0.5 * same / len(one) + 0.5 * (1 - min(distance * 2, 1.0))
