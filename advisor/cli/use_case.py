"""``--use-case``: a preset of limits and weights; what is given beside it goes first."""

from typing import Any

import click
from click.core import ParameterSource

from advisor.errors import UsageError

_RANKING = ("rank_by", "weights")


def _take_defaults(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Make the preset's options the defaults of the command's options."""
    if value is None:
        return None
    from advisor.answering.use_cases import defaults

    known = {one.name for one in ctx.command.params}
    preset = defaults(value)
    unknown = sorted(set(preset) - known)
    if unknown:
        names = ", ".join("--" + name.replace("_", "-") for name in unknown)
        raise UsageError(f"{param.opts[0]} {value} sets {names}, which {ctx.command_path} lacks")
    ctx.default_map = {**preset, **(ctx.default_map or {})}
    return value


def settle_ranking(ctx: click.Context, options: dict[str, Any]) -> dict[str, Any]:
    """Drop the preset's ranking where the command line states another one.

    ``--rank-by`` and ``--weights`` exclude each other, so a preset must not add the second.
    """
    stated = [n for n in _RANKING if ctx.get_parameter_source(n) is ParameterSource.COMMANDLINE]
    if len(stated) != 1:
        return options
    return {**options, **{name: None for name in _RANKING if name not in stated}}


use_case_option = click.option(
    "--use-case",
    is_eager=True,
    callback=_take_defaults,
    metavar="NAME",
    help="Preset of limits and weights: drone-navigation, smart-camera, medical-imaging …",
)
