"""Plug-ins: classes of other packages, found by entry point; their faults are told as theirs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from advisor.errors import AdvisorError, PluginError


def entry_points_of(group: str) -> Mapping[str, str]:
    """Return ``module:Class`` by name of all installed plug-ins; of two alike the first counts."""
    from importlib.metadata import entry_points

    found: dict[str, str] = {}
    for point in entry_points(group=group):
        found.setdefault(point.name, point.value)
    return found


def made(what: str, place: str) -> Any:
    """Create what ``module:Class`` names; PluginError in one line where it cannot be."""
    module, _, attribute = place.partition(":")
    with blamed(f"{what} cannot be loaded from {place}"):
        return getattr(import_module(module), attribute)()


@contextmanager
def blamed(what: str) -> Iterator[None]:
    """Tell what other packages raise as a PluginError that begins with ``what``.

    Errors of the advisor's own pass: plug-ins raise them for what a user can mend. One that asks
    to leave the program does not.
    """
    try:
        yield
    except AdvisorError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(f"{what}: {type(error).__name__}: {error}") from error
