"""Candidate: a network of the catalog, or a variant of one.

Written ``ARCH[.TAG][@RESOLUTION][:axis=value,...]``, for example
``mobilenetv2_100.ra_in1k``, ``mobilenetv2_100@192:width=0.75``, ``efficientnet_b0:phi=1.5``.
"""

import math
import re
from dataclasses import dataclass

from advisor.errors import UsageError

_SPELLING = re.compile(
    r"(?P<architecture>[A-Za-z0-9_\-*?\[\]]+)"
    r"(?:\.(?P<tag>[A-Za-z0-9_\-*?\[\]]+))?"
    r"(?:@(?P<resolution>\d+))?"
    r"(?::(?P<axes>[a-z0-9_]+=[^,=]+(?:,[a-z0-9_]+=[^,=]+)*))?"
)
SMALLEST_SIDE, LARGEST_SIDE = 8, 2048
"""Sides in pixels of the inputs that networks are counted for."""
_FORM = "ARCH[.TAG][@RESOLUTION][:width=W,depth=D,...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One network that can be priced: architecture, weights, resolution, multipliers."""

    architecture: str
    """timm name, or a name of the catalog."""
    tag: str | None = None
    """Pretrained weights, as in timm; None where no trained weights are meant."""
    resolution: int | None = None
    """Side of the square input in pixels; None means the default of the weights."""
    axes: tuple[tuple[str, float], ...] = ()
    """Multipliers and other axes of a search space, sorted by name; empty for a stock network."""

    @property
    def network(self) -> str:
        """Name without weights and resolution: what decides the layers besides the input."""
        return f"{self.architecture}{self._multipliers}"

    @property
    def name(self) -> str:
        """Spelling that ``Candidate.parse`` reads back."""
        return self.named(self.resolution)

    def named(self, resolution: int | None) -> str:
        """Return the spelling with the input at a resolution, or without any."""
        tag = f".{self.tag}" if self.tag else ""
        sized = "@" in self.architecture  # a network of the user at HEIGHTxWIDTH
        size = f"@{resolution}" if resolution and not sized else ""
        return f"{self.architecture}{tag}{size}{self._multipliers}"

    @property
    def _multipliers(self) -> str:
        """The axes in the fewest digits that read back the same."""
        if not self.axes:
            return ""
        axes = ",".join(
            f"{name}={repr(float(value)).removesuffix('.0')}" for name, value in self.axes
        )
        return f":{axes}"

    @property
    def needs_training(self) -> bool:
        """Whether nobody published weights for it: its accuracy can only be predicted."""
        return bool(self.axes)

    def axis(self, name: str, default: float = 1.0) -> float:
        """Value of an axis such as ``width``; ``default`` where it is not set."""
        return dict(self.axes).get(name, default)

    @staticmethod
    def parse(text: str) -> "Candidate":
        """Read a candidate; raises UsageError that shows the form."""
        match = _SPELLING.fullmatch(text.strip())
        if match is None:
            raise UsageError(f"cannot read candidate {text!r}; write {_FORM}")
        side = match["resolution"]
        resolution = int(side[:9]) if side else None
        if resolution is not None and not SMALLEST_SIDE <= resolution <= LARGEST_SIDE:
            raise UsageError(
                f"candidate {text!r}: resolution {side} is not within {SMALLEST_SIDE} to "
                f"{LARGEST_SIDE}"
            )
        return Candidate(
            architecture=match["architecture"],
            tag=match["tag"],
            resolution=resolution,
            axes=_axes(text, match["axes"]),
        )


def _axes(text: str, spelled: str | None) -> tuple[tuple[str, float], ...]:
    axes: dict[str, float] = {}
    for item in spelled.split(",") if spelled else ():
        name, _, value = item.partition("=")
        if name in axes:
            raise UsageError(f"candidate {text!r}: {name} appears twice; allowed: once")
        try:
            axes[name] = float(value)
        except ValueError:
            message = f"candidate {text!r}: {name}={value!r} is not a number; write {_FORM}"
            raise UsageError(message) from None
        if not 0 <= axes[name] < math.inf:
            message = f"candidate {text!r}: {name}={value} is out of range; allowed: 0 or more"
            raise UsageError(message)
    return tuple(sorted(axes.items()))
