"""Claims: what is widely said of ResNet, MobileNet and EfficientNet, checked against sources."""

from collections.abc import Iterable
from pathlib import Path

from advisor.catalog.accuracy import read_claims
from advisor.core.document import ClaimRecord

_SUBJECTS = {
    "resnet": ("resnet-50", "resnet-152"),
    "mobilenet": ("mobilenetv1", "mobilenetv2", "mobilenetv3", "depthwise"),
    "efficientnet": ("efficientnet",),
}
"""How claims begin, by what the name of a network holds."""


def claims_about(candidates: Iterable[str], root: Path) -> tuple[ClaimRecord, ...]:
    """Return the checked claims about the families of the candidates.

    ``root`` is the folder of the catalog.
    """
    names = " ".join(candidates).lower()
    begins = tuple(b for part, begin in _SUBJECTS.items() if part in names for b in begin)
    return tuple(
        ClaimRecord(
            claim=c.claim, verdict=c.verdict, official=c.official_value, source=c.source_ref
        )
        for c in read_claims(root)
        if begins and any(begin in c.claim.lower() for begin in begins)
    )
