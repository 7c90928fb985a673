"""The documents say what the program does: their commands and snippets run, in order.

A comment before a block says how it is run: ``<!-- not run: REASON -->``, ``<!-- slow -->``,
``<!-- file: PATH -->`` (the block is that file), ``<!-- checkout -->`` (the folder holds profiles
and catalog as a checkout does), ``<!-- plug-in: FOLDER -->`` (the folder's package is installed),
``<!-- contract: FOLDER -->`` (the block is a test of that package). Several are parted by commas.
"""

import importlib.util
import inspect
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import click
import pytest

from advisor.cli.main import COMMANDS, app
from advisor.core.filed import Document
from advisor.core.question import Question, options_of
from advisor.estimators.columns import COLUMNS
from advisor.hardware.profile_file import ProfileFile, document_in
from advisor.measuring import runtimes
from tests.requests import KINDS
from tests.terminal import ask

ROOT = Path(__file__).parents[1]
DOCS = sorted([*ROOT.glob("docs/**/*.md"), ROOT / "CONTRIBUTING.md"])
BLOCK = re.compile(r"(?:^<!-- (?P<marks>.+?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```",
                   re.DOTALL | re.MULTILINE)  # fmt: skip
SHOWN = ("text", "yaml", "toml", "csv", "json")
"""Languages of blocks that are read only, unless they are a file."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block and its marks."""

    language: str
    text: str
    marks: dict[str, str]

    def lines(self) -> list[str]:
        """Commands, a continued one on one line."""
        joined = re.sub(r"\\\n\s*", "", self.text)
        return [line for line in joined.splitlines() if line.strip()]


def blocks(path: Path) -> Iterator[Block]:
    for found in BLOCK.finditer(path.read_text(encoding="utf-8")):
        marks = found["marks"] or ""
        parts = [marks] if marks.startswith("not run") else marks.split(", ")
        stated = dict(part.partition(": ")[::2] for part in parts if part)
        yield Block(language=found["language"], text=found["text"], marks=stated)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


WITH_BLOCKS = [path for path in DOCS if any("not run" not in b.marks for b in blocks(path))]
WITH_SLOW = [path for path in DOCS if any("slow" in block.marks for block in blocks(path))]


class Desk:
    """A folder in which a document is followed."""

    def __init__(
        self, folder: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder, self.patch, self.capsys = folder, patch, capsys
        self.names: dict[str, object] = {}
        patch.chdir(folder)
        patch.setenv("ADVISOR_HOME", str(folder / "home"))
        patch.syspath_prepend(str(folder))

    def follow(self, path: Path, *, slow: bool) -> None:
        """Do what a document says, its slow parts where they are asked for."""
        for block in blocks(path):
            if "not run" in block.marks or ("slow" in block.marks and not slow):
                continue
            if "checkout" in block.marks:
                self._check_out()
            if "file" in block.marks:
                file = self.folder / block.marks["file"]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.text, encoding="utf-8")
            elif "plug-in" in block.marks:
                self._install(self.folder / block.marks["plug-in"])
            elif "contract" in block.marks:
                self._test(block.text, self.folder / block.marks["contract"])
            elif block.language == "python":
                exec(block.text, self.names)
            elif block.language == "sh":
                for line in block.lines():
                    self._run(line)

    def _run(self, line: str) -> None:
        words = shlex.split(line, comments=True)
        assert words[0] == "advisor", f"mark the block of {line!r} as <!-- not run: REASON -->"
        answer = ask(self.capsys, *words[1:])
        assert answer.code == 0, f"{line}: {answer.err}"
        for name in re.findall(r"-o (\S+)", line):
            assert (self.folder / name).stat().st_size > 0

    def _check_out(self) -> None:
        for name in ("profiles", "catalog"):
            shutil.copytree(ROOT / name, self.folder / name)
            self.patch.setenv(f"ADVISOR_{name.upper()}", str(self.folder / name))

    def _install(self, package: Path) -> None:
        """Let a package be found as pip would install it."""
        project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        info = package / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir()
        head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        (info / "METADATA").write_text(head, encoding="utf-8")
        points = [
            f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in entries.items())
            for group, entries in project["entry-points"].items()
        ]
        (info / "entry_points.txt").write_text("\n".join(points), encoding="utf-8")
        self.patch.syspath_prepend(str(package))
        runtimes._entry_points.cache_clear()

    def _test(self, text: str, package: Path) -> None:
        self.patch.syspath_prepend(str(package))
        names: dict[str, object] = {}
        exec(text, names)
        kind = next(one for name, one in names.items() if name.startswith("Test"))
        assert inspect.isclass(kind)
        for name, test in inspect.getmembers(kind(), inspect.ismethod):
            if name.startswith("test_"):
                test()


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    known = set(sys.modules)
    yield Desk(tmp_path, monkeypatch, capsys)
    for name in set(sys.modules) - known:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
    runtimes._entry_points.cache_clear()


@pytest.mark.parametrize("path", WITH_BLOCKS, ids=named)
def test_a_document_can_be_followed(path: Path, desk: Desk) -> None:
    desk.follow(path, slow=False)


@pytest.mark.slow
@pytest.mark.parametrize("path", WITH_SLOW, ids=named)
def test_its_slow_parts_can_be_followed_too(path: Path, desk: Desk) -> None:
    desk.follow(path, slow=True)


@pytest.mark.parametrize("path", DOCS, ids=named)
def test_every_block_says_what_it_is(path: Path) -> None:
    for block in blocks(path):
        assert block.language in ("sh", "python", *SHOWN), block.text
        assert block.marks.get("not run", "reason"), block.text


PAGES = [*DOCS, *(ROOT / name for name in ("README.md", "SECURITY.md", "catalog/README.md"))]


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_a_command_that_a_sentence_names_exists_with_its_options(path: Path) -> None:
    for found in re.findall(r"`(advisor [^`]+)`", path.read_text(encoding="utf-8")):
        command, *words = found.split()[1:]
        if command == "COMMAND":
            continue
        assert command in COMMANDS, found
        context = click.Context(app, info_name="advisor")
        known = app.get_command(context, command)
        if isinstance(known, click.Group) and words:
            known = known.get_command(context, words[0])
        assert known is not None, found
        options = {name for one in known.params for name in one.opts} | {"--help"}
        assert {word for word in words if word.startswith("-")} <= options, found


def test_every_field_of_a_profile_is_told() -> None:
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    table = text[text.index("### Fields of a profile") : text.index("## A publication")]
    told = set(re.findall(r"`([a-z0-9_]+)`", table))
    assert _fields(ProfileFile) - told == set()


def _fields(kind: type[Document]) -> set[str]:
    """Names of all fields of a document and of those inside it."""
    inner = {found for one in fields(kind) if (found := document_in(one.type)) is not None}
    return {one.name for one in fields(kind)}.union(*map(_fields, inner))


def test_the_kinds_of_work_are_as_many_as_the_documents_say() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert f"{len(COLUMNS)} kinds of work" in text


site = pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="mkdocs is missing")


@site
@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "reference" / "command-line" / "index.html").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f'id="advisor-{name}"' not in page] == []
    assert not re.search(r'(?:src|href)="https?://(?:fonts|cdn|unpkg)', page)


@site
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_reference_holds_every_option(kind: type[Question]) -> None:
    place = ROOT / "docs" / "reference_pages.py"
    spec = importlib.util.spec_from_file_location("reference_pages", place)
    assert spec is not None
    assert spec.loader is not None
    pages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pages)
    text = pages.command_line()
    options = [one for key, one in options_of(kind).items() if not one.option.argument]
    assert [one.key for one in options if f"--{one.key.replace('_', '-')}" not in text] == []
