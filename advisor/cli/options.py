"""Options of the commands: those of a request come from the request's own fields."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from advisor.core.option import without_zero
from advisor.core.question import OptionPlace, Question, Stated, options_of
from advisor.errors import UsageError, unknown_name

if TYPE_CHECKING:
    from advisor.answering.asking import Kind

Function = TypeVar("Function", bound=Callable[..., Any])
FILE = "advisor.request_file"
"""Where a running command keeps what its request file states."""


def request_options(kind: type[Question]) -> Callable[[Function], Function]:
    """Declare the options and arguments of a kind of request; ``asked`` reads them."""
    return _chain(_declared(place) for place in options_of(kind).values())


MOST_BESIDE = 5
"""Devices that a name may have meant besides, of which so many are told."""


def asked(kind: "type[Kind]") -> "Kind":
    """Return the request that the running command was given, its file and preset included."""
    from advisor.answering.asking import request_from

    request = request_from(kind, *stated(kind))
    _say_devices(request)
    return request


def _say_devices(request: Question) -> None:
    """Say which id another name of a device stands for, so that scripts can hold it."""
    from advisor.cli.output import say
    from advisor.hardware.library import profile_library

    folder = getattr(request, "profiles_dir", "")
    named = (getattr(request, "device", None), *getattr(request, "devices", ()))
    library = profile_library(own=Path(folder) if folder else None)
    for name in dict.fromkeys(one for one in named if one and library.file_of(one) is None):
        meant = library.meaning(name)
        if len(meant.devices) == 1:
            beside = ", ".join(entry.id for entry in meant.related[:MOST_BESIDE])
            say(f"{name} = {meant.devices[0].id}" + (f" (not {beside})" if beside else ""))


def stated(kind: type[Question]) -> tuple[Stated, ...]:
    """Return what the running command's request file and its command line state."""
    ctx = click.get_current_context()
    typed = {
        name: value
        for name, value in ctx.params.items()
        if name in options_of(kind)
        and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    file: Stated | None = ctx.meta.get(FILE)
    return (*((file,) if file is not None else ()), Stated(options=typed, typed=True))


class RequestOption(click.Option):
    """An option that a request reads."""


class RequestArgument(click.Argument):
    """An argument that a request reads."""


def _declared(place: OptionPlace) -> Callable[[Function], Function]:
    option, form = place.option, place.option.form
    if option.argument:
        many = -1 if form.many else 1
        return click.argument(place.key, cls=RequestArgument, nargs=many, required=False)
    name = "--" + place.key.replace("_", "-")
    if form.flag:
        return click.option(name, place.key, cls=RequestOption, is_flag=True, help=option.help)
    return click.option(
        name,
        place.key,
        cls=RequestOption,
        multiple=form.many,
        metavar=form.metavar,
        help=f"{option.help}{_default(place)}",
    )


def _default(place: OptionPlace) -> str:
    written = None if place.required else place.option.form.write(place.default)
    text = ",".join(written) if isinstance(written, list) else written
    return f"  [default: {text}]" if text else ""


def _chain(options: Iterable[Callable[[Function], Function]]) -> Callable[[Function], Function]:
    stacked = list(options)

    def decorate(function: Function) -> Function:
        for option in reversed(stacked):
            function = option(function)
        return function

    return decorate


def _read_config(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    """Keep a request file's options for the request; the command's others become its defaults."""
    if value is None:
        return None
    from advisor.answering.asking import file_options, request_file

    known = {_key(one): one for one in ctx.command.params if one is not param}
    others = {
        key: one
        for key, one in known.items()
        if not isinstance(one, RequestOption | RequestArgument)
    }
    found = file_options(value)
    for key in found:
        if key not in known:
            raise unknown_name(f"key in {value}:", key, known, f"{ctx.command_path} --help")
    ctx.meta[FILE] = request_file(value, beside=others)
    own = {
        str(one.name): _setting(one, found[key], f"{value}: {key}")
        for key, one in others.items()
        if found.get(key) is not None
    }
    ctx.default_map = {**(ctx.default_map or {}), **own}
    return value


def _key(param: click.Parameter) -> str:
    """The name of an option as it is written, which is its key in a request file."""
    return max(param.opts, key=len).lstrip("-").replace("-", "_")


def _setting(param: click.Parameter, item: Any, where: str) -> Any:
    """Return what a request file states of an option, in the form that click takes."""
    if isinstance(item, dict) or (isinstance(item, list) and not param.multiple):
        raise UsageError(f"{where}: {item!r} is not one value; this option takes a single one")
    for text in item if isinstance(item, list) else [item]:
        without_zero(str(text), where)
    return [item] if param.multiple and not isinstance(item, list) else item


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    is_eager=True,
    expose_value=False,
    callback=_read_config,
    help="YAML file with any of these options; the command line wins.",
)

output_options = _chain(
    [
        click.option(
            "--format",
            "form",
            type=click.Choice(["table", "json", "csv", "markdown"]),
            default="table",
            show_default=True,
            help="What standard output gets.",
        ),
        click.option(
            "-o",
            "--output",
            multiple=True,
            type=click.Path(path_type=Path, dir_okay=False),
            help="File to write; the suffix picks the format. Repeatable.",
        ),
    ]
)

form_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="What standard output gets.",
)
