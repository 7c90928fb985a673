"""Which vision network, on which device, under these limits?

The functions are the commands, their keywords the options::

    import advisor

    answer = advisor.recommend("jetson-nano", max_latency="20ms", min_top1="70%")
    answer.ranked[0].candidate
    answer.save("report.html")

What they return are the documents that ``--format json`` prints, which also show themselves in a
notebook, turn into records and data frames, and write themselves to files. Errors are those of
``advisor.errors``. Nothing is imported before the first call.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from advisor.api import (
        calibrate,
        compare,
        devices,
        estimate,
        explain,
        measure,
        models,
        procure,
        recommend,
        search,
    )

__all__ = [
    "calibrate",
    "compare",
    "devices",
    "estimate",
    "explain",
    "measure",
    "models",
    "procure",
    "recommend",
    "search",
]


def __getattr__(name: str) -> object:
    """Import the Python API when one of its functions is first used."""
    if name not in __all__:
        raise AttributeError(f"module 'advisor' has no attribute {name!r}")
    from advisor import api

    return getattr(api, name)


def __dir__() -> list[str]:
    """Return the names of the API beside what every module has."""
    return [*globals(), *__all__]
