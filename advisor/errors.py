"""Everything the advisor raises on purpose.

AdvisorError
├── UsageError         a request that cannot be read: unknown name, missing unit (exit 2)
├── ProfileError       a device profile that is missing or invalid
├── CatalogError       a catalog file that is missing or invalid
├── ConstraintError    a limit that makes no sense for its metric
├── NetworkError       a network that cannot be built or counted
├── MeasurementError   a timing that could not be taken, or a table of measurements that is invalid
├── TrialError         images that cannot be read, or a training that cannot go on
├── EvidenceError      the evidence does not allow an answer (exit 4)
├── PluginError        a plug-in that is missing or does not keep its contract
└── MissingPackageError  a package that an extra of the installation brings

A message says what is wrong, the value, what is allowed and what to do. Each class has a
``slug``: the heading in the README that explains it. Whatever the value was, the message is one
printable line of bounded length.
"""

from collections.abc import Iterable

LONGEST = 480
"""Characters of a message; with the program's name before it a line stays below 500."""
_GAP = " … "


def one_line(text: str, longest: int = LONGEST) -> str:
    """Return text as one printable line; of a longer one the middle is left out."""
    shown = "".join(map(_printable, _shortened(text, longest)))
    return _shortened(shown, longest)


def _shortened(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    tail = (longest - len(_GAP)) // 3
    return text[: longest - len(_GAP) - tail] + _GAP + text[-tail:]


def _printable(sign: str) -> str:
    if sign.isprintable() or sign in "\u00a0\u202f\u2009":  # spaces inside numbers
        return sign
    return " " if sign.isspace() else sign.encode("unicode_escape").decode("ascii")


class AdvisorError(Exception):
    """Base of all errors that the command line prints as one line."""

    slug = "errors"
    exit_code = 1

    def __str__(self) -> str:
        """Return the message as one line, however long the value that it names."""
        return one_line(super().__str__())


class UsageError(AdvisorError):
    """A request that cannot be read."""

    slug = "usage"
    exit_code = 2


class ProfileError(AdvisorError):
    """A device profile that is missing or invalid."""

    slug = "device-profiles"


class CatalogError(AdvisorError):
    """A catalog file that is missing or invalid."""

    slug = "catalog"


class ConstraintError(UsageError):
    """A limit that makes no sense for its metric."""

    slug = "limits"


class NetworkError(AdvisorError):
    """A network that cannot be built or counted."""

    slug = "networks"


class MeasurementError(AdvisorError):
    """A timing that could not be taken, or a table of measurements that is invalid."""

    slug = "measurements"


class TrialError(AdvisorError):
    """Images that cannot be read, or a training that cannot go on."""

    slug = "trials"


class EvidenceError(AdvisorError):
    """The evidence does not allow an answer."""

    slug = "evidence"
    exit_code = 4


class PluginError(AdvisorError):
    """A plug-in that is missing or does not keep its contract."""

    slug = "plug-ins"


class MissingPackageError(AdvisorError):
    """A package that an extra of the installation brings."""

    slug = "extras"


def unknown_name(kind: str, name: str, known: Iterable[str], listing: str) -> UsageError:
    """Return the error for a name that is not known, with the nearest known ones.

    ``listing`` is the command that lists all of them.
    """
    from difflib import get_close_matches

    names = sorted(known)
    near = get_close_matches(name, names, n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
    return UsageError(f"unknown {kind} {name!r}{hint} ({listing!r} lists all {len(names)})")


class BusyError(AdvisorError):
    """An answer took longer than a server gives it."""
