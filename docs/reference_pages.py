"""Pages of the site that are made from the program: its command line, its Python functions.

MkDocs calls the hooks below. Files outside ``docs/`` that readers look for become pages, too; links
between them hold in the repository and on the site.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import advisor
from advisor.api.answers import Shown
from advisor.cli.main import COMMANDS, app
from advisor.errors import AdvisorError

ROOT = Path(__file__).parents[1]
OUTSIDE = {
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "security.md": "SECURITY.md",
    "catalog.md": "catalog/README.md",
}
"""File of the repository by page."""
BY_LINK = {
    "../catalog/README.md": "catalog.md",
    "../CONTRIBUTING.md": "contributing.md",
    "../../CONTRIBUTING.md": "../contributing.md",
    "../README.md": "index.md",
    "../../README.md": "../index.md",
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
"""Page of the site by link within the repository."""
FUNCTIONS = ("recommend", "estimate", "compare", "explain", "search", "procure", "calibrate",
             "measure", "devices", "models")  # fmt: skip


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no files of ``docs/``."""
    made = {
        "reference/command-line.md": command_line(),
        "reference/python.md": python(),
        **{page: _inside((ROOT / path).read_text("utf-8")) for page, path in OUTSIDE.items()},
    }
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links within the repository into links of the site."""
    return re.sub(
        r"\]\(([^)#]+)(#[^)]*)?\)",
        lambda link: f"]({BY_LINK.get(link[1], link[1])}{link[2] or ''})",
        markdown,
    )


def command_line() -> str:
    """Describe every command with its options, from click's own declarations."""
    head = "# Command line\n\nMade from the program; `advisor COMMAND --help` prints the same.\n"
    context = click.Context(app, info_name="advisor")
    parts = [head, *_options(app, context)]
    for name in COMMANDS:
        command = app.get_command(context, name)
        assert command is not None, name
        parts += _command(command, click.Context(command, info_name=name, parent=context))
    return "\n".join(parts)


def python() -> str:
    """Describe the functions of the Python API, what they return and what they raise."""
    parts = [
        "# Python",
        inspect.getdoc(inspect.getmodule(advisor.recommend)) or "",
        *(part for name in FUNCTIONS for part in _function(name)),
        "## Answers",
        "What they return has the fields of the document that `--format json` prints, and:",
        *_methods(Shown),
        "## Errors",
        "\n".join(_errors(AdvisorError)),
    ]
    return "\n\n".join(parts) + "\n"


def _inside(text: str) -> str:
    """Links of a file at the root or beside it, as seen from ``docs/``."""
    return re.sub(r"\]\((?:\.\./)?docs/", "](", text)


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"\n{'#' * (1 + context.command_path.count(' '))} {context.command_path}\n"
    yield f"{_text(inspect.cleandoc(command.help or ''))}\n"
    yield f"```text\n{command.get_usage(context)}\n```\n"
    yield from _options(command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from _command(inner, click.Context(inner, info_name=name, parent=context))


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    records = [one.get_help_record(context) for one in command.get_params(context)]
    rows = [f"| `{_cell(name)}` | {_text(_cell(text))} |" for name, text in filter(None, records)]
    if rows:
        yield "| option | |\n| --- | --- |\n" + "\n".join(rows) + "\n"


def _function(name: str) -> Iterator[str]:
    function = getattr(advisor, name)
    text, _, keywords = (inspect.getdoc(function) or "").partition("\n\nKeywords:\n")
    yield f"## advisor.{name}"
    yield _text(text)
    rows = [line.strip().partition(": ") for line in keywords.splitlines() if line.strip()]
    if rows:
        yield "| keyword | |\n| --- | --- |\n" + "\n".join(
            f"| `{key}` | {_text(_cell(meaning))} |" for key, _, meaning in rows
        )
    else:
        yield f"```python\nadvisor.{name}{inspect.signature(function)}\n```"


def _methods(kind: type[Any]) -> Iterator[str]:
    for name, method in vars(kind).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            first = (inspect.getdoc(method) or "").replace("\n", " ")
            yield f"- `{name}{inspect.signature(method)}`: {first}"


def _errors(error: type[AdvisorError], depth: int = 0) -> Iterator[str]:
    text = (inspect.getdoc(error) or "").partition("\n")[0]
    yield f"{'    ' * depth}- `{error.__name__}`: {text}"
    for child in error.__subclasses__():
        yield from _errors(child, depth + 1)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _text(text: str) -> str:
    """Keep what looks like a pattern from being read as Markdown."""
    return text.replace("*", "\\*").replace("<", "&lt;").replace("``", "`").replace("[", "\\[")
