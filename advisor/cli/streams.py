"""Standard streams as a shell hands them over: closed, full, or of few characters."""

import codecs
import os
import sys
from contextlib import suppress
from typing import TextIO

ESCAPED = "advisor.escaped"
"""Error handler of encodings: writes ``\\u2264``, which JSON reads back as the character."""
_DRAWN = {"─": "-", "━": "-", "│": "|", "◆": "*", "●": "*"}
"""What stands for signs that only draw tables; no figure and no name holds one."""


def prepare() -> None:
    """Make the standard streams safe to write to; a closed one swallows what it is given.

    A closed descriptor would be given to the next file that is opened, which prints then damage.
    """
    codecs.register_error(ESCAPED, _escaped)
    opened = os.open(os.devnull, os.O_RDWR)
    while opened < 3:
        opened = os.dup(opened)
    os.close(opened)
    if sys.stdout is None:
        sys.stdout = _swallowing()
    if sys.stderr is None:
        sys.stderr = _swallowing()
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=ESCAPED)


def finish() -> str:
    """Write out what standard output still holds; return why it could not be, or nothing."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of a pipe, such as ``head``, has seen enough
        drop_output()
    except OSError as error:
        drop_output()
        return f"cannot write to standard output: {error.strerror}"
    return ""


def tell(line: str) -> None:
    """Write a line to standard error, where there is one that takes it."""
    with suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)


def drop_output() -> None:
    """Send the rest to nowhere, so that closing the stream does not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):  # tests have streams without a descriptor
        os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _swallowing() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - for the whole run


def _escaped(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    return "".join(_DRAWN.get(sign) or _units(sign) for sign in signs), error.end


def _units(sign: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))
