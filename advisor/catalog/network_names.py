"""Names of networks as people write them: torchvision's, Hugging Face ids, Keras, TF-Hub, short.

``network_aliases.csv`` holds what only knowledge can tell (``swin_t``, ``microsoft/resnet-50``),
each with its source. Case, punctuation, addresses and the words of frameworks are passed over; the
beginning of several names, or a word inside them, lists them all.
"""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from math import log, sqrt
from pathlib import Path

from advisor.catalog.naming import plain_name
from advisor.errors import CatalogError

TABLE = "network_aliases.csv"
COLUMNS = ("name", "network", "source")

_PLACES = (
    r"^hf[_-]hub:",
    r"^(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co|tfhub\.dev|kaggle\.com/models)/",
    r"^(?:torchvision\.models\.|torchvision/|timm/|timm\.|(?:tf\.)?keras\.applications\.\w+\.)",
    r"^(?:tf\.)?keras\.applications\.",
    r"^(?:google|tensorflow|keras)/(?:imagenet/)?",
    r"^tensorflow-ic-(?:imagenet-|tf2-preview-)?",
    r"/(?:tensorflow2|tflite|keras|pytorch)(?=/)",
    r"[/_-](?:classification|feature[_-]vector)(?:[/_-]\d+)?$",
    r"[ _-](?:pytorch|torch|tf2?|tensorflow|caffe2?|onnx|keras|tflite|imagenet(?:1k)?|pretrained)$",
)
"""What stands around a name where it was found: addresses, libraries, frameworks."""
_SHORT = (
    (r"^eff?(?:icient)?[ _-]?nets?(?=$|[ _\-v])", "efficientnet"),
    (r"^m(?:n|b)v(?=\d)", "mobilenetv"),
    (r"^rn(?=\d)", "resnet"),
    (r"^swin[ _-]?transformer", "swin"),
    (r"^vision[ _-]?transformer", "vit"),
)
_SIDE = re.compile(r"[ _/-](96|128|160|192|224|240|256|288|299|320|331|384|448|512)$")
_PARTS = re.compile(r"(?P<base>.+?)(?P<side>@\d+)?(?P<axes>:[a-z0-9_]+=.*)?")
LEAST = 4
"""Letters of a word that may stand in the middle of a name."""
LEAST_LIKE, LEAST_SHARE = 0.45, 0.6
"""Likeness of a name that may have been meant: at all, and as a share of the likest one's."""
KIN = 5
"""First letters that two names of one family share."""
_ELSEWHERE = (
    (r"(pp|damo|gold|tiny)?yolo(?!.*cls)|ssd|(pp)?picodet|nanodet|rtmdet|(rt)?detr|fcos|"
     r"efficientdet|retina(net|face)|(faster|cascade|fast)_?r_?cnn|centernet|blazeface",
     "detecting objects"),
    (r"u_?net|deeplab|segformer|mask_?r_?cnn|pspnet|bisenet|maskformer|fcn_|pidnet|stdc|sam2?_",
     "segmenting images"),
    (r"openpose|movenet|posenet|blazepose|rtmpose|vitpose", "finding poses"),
)  # fmt: skip
"""Beginnings of names of networks that classify no images, and what those do."""


@dataclass(frozen=True)
class NetworkNames:
    """Names of the catalog's networks, and other names that lead to them."""

    architectures: Collection[str]
    aliases: Mapping[str, str]
    """Catalog spelling by other name: ``ARCH[.TAG][@RESOLUTION][:AXES]``."""

    def meaning(self, spelling: str) -> tuple[str, ...]:
        """Return the catalog's spellings that a name means: one, several, or none."""
        parts = _PARTS.fullmatch(spelling.strip())
        if parts is None:
            return ()
        for name, side in _readings(parts["base"]):
            found = self._found(name)
            if found:
                asked = parts["side"] or side
                return tuple(_with(one, asked, parts["axes"] or "") for one in found)
        meant = self._listed(parts["base"]) or self._plainly(parts["base"])
        return tuple(_with(one, parts["side"] or "", parts["axes"] or "") for one in meant)

    def is_weights(self, spelling: str) -> bool:
        """Whether ``ARCH.TAG`` are weights that exist, also where no accuracy is known of them."""
        return spelling in self._weights

    def nearest(self, spelling: str, count: int = 3) -> list[str]:
        """The catalog's names that share most of the telling parts of a spelling."""
        like = self._likeness(_grams(next(_readings(spelling))[0]))
        least = max(LEAST_LIKE, LEAST_SHARE * max(like.values(), default=0.0))
        near = [name for name, found in like.items() if found >= least]
        return sorted(near, key=lambda name: (-like[name], name))[:count]

    def against(self, spelling: str) -> str:
        """Say of a name that nobody has what it may have meant, or why it is not there."""
        kind = kind_elsewhere(spelling)
        if kind:
            return (
                f", which is for {kind}: the catalog has image classifiers and their backbones; "
                "a file of it is counted and estimated, as net.onnx@640"
            )
        near = self.nearest(spelling)
        if near:
            return f"; did you mean {' or '.join(map(repr, near))}?"
        kin = self._kin(spelling)
        return f"; of its kin the catalog has {' and '.join(map(repr, kin))}" if kin else ""

    def _kin(self, spelling: str, count: int = 2) -> list[str]:
        """Networks whose names begin with as many of the same letters as any does."""
        plain = next(_readings(spelling))[0]
        letters, like = _letters(plain), self._likeness(_grams(plain))
        begun = self._begun.get(letters[:KIN], {})
        shared = {name: _beginning(letters, own) for name, own in begun.items()}
        most = max(shared.values(), default=0)
        kin = [name for name, same in shared.items() if same == most]
        return sorted(kin, key=lambda name: (-like.get(name, 0.0), name))[:count]

    def _found(self, name: str) -> tuple[str, ...]:
        """Look a name up as it stands: the catalog's own, an alias, or either written otherwise."""
        if name.partition(".")[0] in self.architectures:
            return (name,)
        for table, key in ((self._exact, name.lower()), (self._by_key, _key(name))):
            if key in table:
                return (table[key],)
        return ()

    def _plainly(self, name: str) -> Sequence[str]:
        plain = plain_name(name)
        return [plain] if plain.partition(":")[0] in self.architectures else []

    def _listed(self, name: str) -> Sequence[str]:
        """The networks whose names begin with a word, else those that have it inside."""
        for reading, _ in _readings(name):
            key = _key(reading)
            if key in self._beginnings:
                return self._beginnings[key]
            if len(key) >= LEAST and key in self._worded:
                return self._worded[key]
        return ()

    @cached_property
    def _worded(self) -> Mapping[str, list[str]]:
        """Networks by each word of their names."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self.architectures):
            for word in dict.fromkeys(name.split("_")):
                found[word].append(name)
        return dict(found)

    @cached_property
    def _begun(self) -> Mapping[str, Mapping[str, str]]:
        """Letters of the networks' names, by the first ``KIN`` of them."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for name in self.architectures:
            letters = _letters(name)
            if len(letters) >= KIN:
                found[letters[:KIN]][name] = letters
        return dict(found)

    @cached_property
    def _weights(self) -> frozenset[str]:
        return frozenset(self.aliases.values())

    @cached_property
    def _exact(self) -> Mapping[str, str]:
        return {name.lower(): network for name, network in self.aliases.items()}

    @cached_property
    def _by_key(self) -> Mapping[str, str]:
        """Networks by the letters and digits of their names; the catalog's own come first."""
        short: dict[str, set[str]] = defaultdict(set)
        for name, network in self.aliases.items():
            if name != f"timm/{network}":
                short[_key(name.rpartition("/")[2])].add(network)
        clear = {key: networks.pop() for key, networks in short.items() if len(networks) == 1}
        whole = {_key(name): network for name, network in self.aliases.items() if "/" not in name}
        return clear | whole | {_key(name): name for name in self.architectures}

    @cached_property
    def _beginnings(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self.architectures):
            pieces = re.findall(r"[a-z]+|\d+", name)
            for end in range(1, len(pieces)):
                found[_key("_".join(pieces[:end]))].append(name)
        return found

    @cached_property
    def _spelled(self) -> Mapping[str, Counter[str]]:
        return {name: _grams(name) for name in self.architectures}

    @cached_property
    def _rarity(self) -> Mapping[str, float]:
        seen = Counter(gram for grams in self._spelled.values() for gram in grams)
        return {gram: log(1 + len(self._spelled) / count) for gram, count in seen.items()}

    @cached_property
    def _having(self) -> Mapping[str, list[tuple[str, int]]]:
        """Networks by each run of letters that their names have, and how often."""
        found: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for name, grams in self._spelled.items():
            for gram, count in grams.items():
                found[gram].append((name, count))
        return dict(found)

    @cached_property
    def _sizes(self) -> Mapping[str, float]:
        return {name: self._size(grams) for name, grams in self._spelled.items()}

    def _size(self, grams: Counter[str]) -> float:
        return sum(n * n * self._rarity.get(gram, 1.0) ** 2 for gram, n in grams.items())

    def _likeness(self, asked: Counter[str]) -> dict[str, float]:
        """Cosine of a name's runs of letters with those of each network that shares any.

        Each is weighed by how few names have it.
        """
        product: dict[str, float] = defaultdict(float)
        for gram, count in asked.items():
            weight = self._rarity.get(gram, 1.0) ** 2
            for name, times in self._having.get(gram, ()):
                product[name] += count * times * weight
        size = self._size(asked)
        return {name: shared / sqrt(size * self._sizes[name]) for name, shared in product.items()}


def kind_elsewhere(spelling: str) -> str:
    """Say what a network does that is known by name and classifies no images; else nothing."""
    name = re.sub(r"[ .-]+", "_", [*_readings(spelling)][-1][0].lower())
    return next((kind for begins, kind in _ELSEWHERE if re.match(begins, name)), "")


def read_aliases(root: Path) -> dict[str, str]:
    """Read ``network_aliases.csv`` of a catalog; CatalogError where a name means two networks."""
    path = root / TABLE
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise CatalogError(f"{path}:1: the columns are not {', '.join(COLUMNS)}")
        for row in reader:
            if found.setdefault(row["name"], row["network"]) != row["network"]:
                raise CatalogError(f"{path}:{reader.line_num}: {row['name']!r} has two meanings")
    return found


def _readings(name: str) -> Iterator[tuple[str, str]]:
    """A name and the side of its input, first as written, then without what stands around it."""
    yield name, ""
    bare = name
    for pattern in _PLACES:
        bare = re.sub(pattern, "", bare, flags=re.IGNORECASE)
    for pattern, plain in _SHORT:
        bare = re.sub(pattern, plain, bare, flags=re.IGNORECASE)
    yield bare, ""
    last = bare.rpartition("/")[2]
    for text in dict.fromkeys((bare, last)):
        yield text, ""
        side = _SIDE.search(text)
        if side:
            yield text[: side.start()], f"@{side[1]}"


def _key(name: str) -> str:
    """Letters and digits of a name; one dot stands for anything between two digits."""
    text = re.sub(r"(?<=\d)[^a-z0-9]+(?=\d)", ".", name.lower())
    return re.sub(r"[^a-z0-9.]|\.(?!\d)|(?<!\d)\.", "", text)


def _beginning(one: str, other: str) -> int:
    """How many first letters two words share."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.lower())


def _grams(name: str) -> Counter[str]:
    text = f" {_letters(name)}"
    return Counter(text[i : i + 3] for i in range(len(text) - 2))


def _with(network: str, side: str, axes: str) -> str:
    """Add a resolution and axes to a catalog spelling; what was asked comes before the alias's."""
    parts = _PARTS.fullmatch(network)
    assert parts is not None, network
    return f"{parts['base']}{side or parts['side'] or ''}{axes or parts['axes'] or ''}"
