"""Plain text: the content of a file, or one line why there is none."""

from pathlib import Path

from advisor.errors import AdvisorError

LARGEST = 2**30
"""Bytes that are read of one file; more is no file of figures."""


def content_of(path: Path, error: type[AdvisorError], *, largest: int = LARGEST) -> bytes:
    """Return the bytes of a file; raises ``error`` where it cannot be read or has no end."""
    try:
        with path.open("rb") as stream:
            content = stream.read(largest + 1)
    except (OSError, ValueError) as problem:  # the latter of a name with a zero byte
        raise error(f"cannot read {path}: {_reason(problem)}") from None
    if len(content) > largest:
        raise error(f"cannot read {path}: it is larger than {largest:,} bytes")
    return content


def text_of(path: Path, error: type[AdvisorError], *, largest: int = LARGEST) -> str:
    """Return the text of a file; raises ``error`` where it is not in UTF-8.

    The mark that some editors put before the first byte is left out.
    """
    content = content_of(path, error, largest=largest)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise error(
            f"cannot read {path}: byte {problem.start + 1} is not UTF-8; save the file as UTF-8"
        ) from None


def _reason(problem: Exception) -> str:
    return getattr(problem, "strerror", None) or str(problem)


def is_there(path: Path) -> bool:
    """Tell whether a file is there; one whose path no system can hold is not."""
    try:
        return path.is_file()
    except OSError:
        return False
