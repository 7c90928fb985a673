"""Saving: a file is written whole or not at all, and known to be writable before the work."""

import os
from contextlib import suppress
from pathlib import Path

from advisor.errors import AdvisorError, UsageError


def check_writable(path: Path) -> None:
    """Refuse a file that cannot be written, before any work is done for it."""
    target = _target(path)
    if target.is_dir():
        raise UsageError(f"{path}: is a folder; name a file")
    if not target.parent.is_dir():
        linked = ", which it links to," if path.is_symlink() else ""
        raise UsageError(f"{path}: the folder {target.parent}{linked} does not exist")
    if _is_special(target):
        if not os.access(target, os.W_OK):
            raise UsageError(f"{path}: cannot be written")
        return
    try:
        handle, temporary = _temporary(target)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
    os.close(handle)
    Path(temporary).unlink(missing_ok=True)


def save(path: Path, content: str | bytes, *, fresh_folder: bool = False) -> None:
    """Replace a file by new content in one step; a pipe or terminal is written through.

    ``fresh_folder`` makes its folder where there is none. Raises AdvisorError where the file
    cannot be written; what was there before is then still there.
    """
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    try:
        target = _target(path)
        if fresh_folder:
            target.parent.mkdir(parents=True, exist_ok=True)
        if _is_special(target):
            target.write_bytes(data)
        else:
            _replace(target, data)
    except OSError as error:
        raise AdvisorError(f"cannot write {path}: {error.strerror}") from None


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, where it is missing; raises AdvisorError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AdvisorError(f"cannot make the folder {folder}: {reason}") from None


def _target(path: Path) -> Path:
    """The file itself, behind links; UsageError for a name that can be none."""
    try:
        target = path.resolve()
        target.exists()
    except (OSError, RuntimeError, ValueError) as error:  # of loops of links, and of zero bytes
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path}: is no name of a file: {reason}") from None
    return target


def _is_special(target: Path) -> bool:
    return target.exists() and not target.is_file()


def _replace(target: Path, data: bytes) -> None:
    handle, temporary = _temporary(target)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(temporary).chmod(_mode(target))
        Path(temporary).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink(missing_ok=True)
        raise


def _temporary(target: Path) -> tuple[int, str]:
    """Open a file beside the target; its name says whose it is, within what names may be long."""
    import tempfile  # a table at the terminal does without

    return tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:60]}.")


def _mode(target: Path) -> int:
    """Permissions of the file that is replaced, else those of a new file."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
