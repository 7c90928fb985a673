"""Entry point: the group of commands, error lines and exit codes."""

import gc
import logging
import os
import sys
from importlib import import_module

import click

from advisor import __version__
from advisor.cli import streams
from advisor.core.extras import missing_extra
from advisor.errors import AdvisorError, one_line

COMMANDS = {
    "recommend": ("advisor.cli.recommend", "Rank the networks that keep the limits on a device."),
    "compare": ("advisor.cli.compare", "Put candidates side by side on one or several devices."),
    "estimate": ("advisor.cli.estimate", "Print every metric of candidates, or answer a table."),
    "explain": ("advisor.cli.explain", "Show where the time goes and what the answer rests on."),
    "measure": ("advisor.cli.measure", "Time networks here, on real runtimes."),
    "measurements": ("advisor.cli.measurements", "List, show, export, forget your measurements."),
    "kit": ("advisor.cli.kit", "Pack networks to be measured on a board."),
    "import": ("advisor.cli.import_", "Take measurements back from a board."),
    "calibrate": ("advisor.cli.calibrate", "Fit a device from a few measurements."),
    "search": ("advisor.cli.search", "Search variants that fit the limits and need training."),
    "trial": ("advisor.cli.trial", "Train candidates on your own images and judge them."),
    "compress": ("advisor.cli.compress", "Prune, distil and quantise a network on your images."),
    "devices": ("advisor.cli.devices", "List devices and show their profiles."),
    "models": ("advisor.cli.models", "List networks and show what is known of one."),
    "procure": ("advisor.cli.procure", "Review devices for a purchase: cost, supply, a ranking."),
    "report": ("advisor.cli.report", "Render a stored result again."),
    "serve": ("advisor.cli.serve", "Answer in the browser, on this machine."),
    "plugins": ("advisor.cli.plugins", "List runtimes and report formats, and who provides them."),
    "doctor": ("advisor.cli.doctor", "Say what is installed, what is missing and what to do."),
    "validate": ("advisor.cli.validate", "Recompute the estimator's error by leaving data out."),
    "catalog": (
        "advisor.cli.catalog",
        "Add publications, count networks, fit the estimators again.",
    ),
}
"""Module and one-line help by command; a module is imported when its command runs."""


UNEXPECTED = "a fault of the program,"
"""Begins the line of an error that no part of the program has foreseen."""
FITTING = ("validate", "catalog", "calibrate")
"""Commands with large matrices, for which linear algebra takes all processors."""


COLLECTING = (250_000, 50, 50)
"""Objects after which Python looks for unused cycles: answers are records, which form none."""


KEPT = 31 << 20
"""Bytes up to which memory that was freed is used again instead of going back to the system, which
takes as long to hand out a large array as the arithmetic in it does."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command and return its ``command``."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest commands where the one given is unknown."""
        from advisor.errors import unknown_name

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise unknown_name("command", args[0], COMMANDS, "advisor --help")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="advisor")
@click.option("-q", "--quiet", is_flag=True, help="Print errors and data only.")
@click.option("-v", "--verbose", count=True, help="Say more on standard error; twice for details.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def app(ctx: click.Context, quiet: bool, verbose: int, debug: bool) -> None:
    """Which vision network, on which device, under these limits?

    Every figure comes with an interval, an origin and a source.
    """
    ctx.obj = {"quiet": quiet, "debug": debug}
    level = (
        logging.ERROR if quiet else [logging.WARNING, logging.INFO, logging.DEBUG][min(verbose, 2)]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])


class _OneLine(logging.Formatter):
    """Writes a message, which may name what the user gave, as one line of bounded length."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if record.exc_info else one_line(text)


def main(argv: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    gc.set_threshold(*COLLECTING)
    bytes(KEPT)  # how glibc is told: it keeps what is as large as anything ever freed
    streams.prepare()
    code = run(sys.argv[1:] if argv is None else argv)
    unwritten = streams.finish()
    if unwritten:
        streams.tell(f"advisor: {unwritten}")
    gc.freeze()  # what is left ends with the process; looking through it again would take a while
    sys.exit(code or int(bool(unwritten)))


def run(argv: list[str]) -> int:
    """Run the command line and return its exit code; one line on stderr for each error."""
    if not set(FITTING) & set(argv):  # the others' matrices are too small to share out
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # it would look for some first
    try:
        result = app.main(argv, "advisor", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except SystemExit:  # how click leaves where the reader of a pipe has seen enough
        streams.drop_output()
        return 0
    except (Exception, KeyboardInterrupt) as error:
        if "--debug" in argv:
            raise
        message, code = _message(error)
        streams.tell(f"advisor: {one_line(message)}")
        return code


def _message(error: BaseException) -> tuple[str, int]:
    """Return what to say of an error, and the exit code."""
    missing = missing_extra(error) if isinstance(error, ImportError) else None
    error = missing or error
    if isinstance(error, AdvisorError):
        return str(error), error.exit_code
    if isinstance(error, click.ClickException):
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
        hint = (
            f" (see '{where or 'advisor'} --help')" if isinstance(error, click.UsageError) else ""
        )
        return error.format_message() + hint, error.exit_code
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return "interrupted", 130
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}" if error.filename is not None else "a file or standard output"
        return f"cannot read or write {where}: {error.strerror}", 1
    if isinstance(error, MemoryError):
        return "out of memory; ask for less at once", 1
    return (
        f"{UNEXPECTED} {type(error).__name__}: {error} (--debug shows where; please report it)",
        1,
    )
