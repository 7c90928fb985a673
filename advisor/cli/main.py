"""Entry point: the group of commands, error lines and exit codes."""

import logging
import os
import sys
from importlib import import_module

import click

from advisor import __version__
from advisor.core.extras import missing_extra
from advisor.errors import AdvisorError

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
    "catalog": ("advisor.cli.catalog", "Import, count and fit the shipped catalog again."),
}
"""Module and one-line help by command; a module is imported when its command runs."""


FITTING = ("validate", "catalog", "calibrate")
"""Commands with large matrices, for which linear algebra takes all processors."""


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
    logging.basicConfig(level=level, format="%(name)s: %(message)s", stream=sys.stderr)


def main(argv: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: list[str]) -> int:
    """Run the command line and return its exit code; one line on stderr for each known error."""
    if not set(FITTING) & set(argv):  # the others' matrices are too small to share out
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        result = app.main(argv, "advisor", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except (AdvisorError, click.ClickException, click.Abort, KeyboardInterrupt) as error:
        if "--debug" in argv:
            raise
        message, code = _message(error)
        click.echo(f"advisor: {message}", err=True)
        return code
    except ImportError as error:
        missing = missing_extra(error)
        if missing is None or "--debug" in argv:
            raise
        click.echo(f"advisor: {missing}", err=True)
        return missing.exit_code
    except BrokenPipeError:  # the reader of a pipe, such as ``head``, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _message(error: BaseException) -> tuple[str, int]:
    if isinstance(error, AdvisorError):
        return str(error), error.exit_code
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx else "advisor"
        return f"{error.format_message()} (see '{where} --help')", 2
    if isinstance(error, click.ClickException):
        return error.format_message(), error.exit_code
    return "interrupted", 130
