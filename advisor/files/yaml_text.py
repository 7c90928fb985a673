"""YAML: what a file of options, of a profile or of assumptions holds.

A file is checked as nodes before anything is built of it: a repeated key, an alias that contains
itself, and few bytes that unfold to millions of values are refused with their line.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from advisor.errors import AdvisorError
from advisor.files.plain_text import text_of

LARGEST = 2**24
"""Bytes of the largest file that is read; the largest profile has 20,000."""
DEEPEST = 50
"""Levels of nesting."""
MOST = 100_000
"""Values that a file may unfold to by its aliases."""


@dataclass(frozen=True, slots=True)
class YamlFile:
    """The value of a file, and where in the file each part of it stands."""

    path: Path
    value: Any
    root: yaml.Node

    def line(self, location: tuple[str | int, ...]) -> int:
        """Line of a field, or of the innermost mapping that exists on the way to it."""
        node = self.root
        line: int = node.start_mark.line + 1
        for part in location:
            if isinstance(node, yaml.MappingNode):
                pair = next((p for p in node.value if p[0].value == str(part)), None)
                if pair is None:
                    return line
                line, node = pair[0].start_mark.line + 1, pair[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
                node = node.value[part]
                line = node.start_mark.line + 1
        return line


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe loader that leaves dates as text, so that ``2019-03`` and ``2019-03-01`` are alike."""


_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in _Loader.yaml_implicit_resolvers.items()
}


def yaml_file(path: Path, error: type[AdvisorError]) -> YamlFile:
    """Read a file; raises ``error`` with file and line where it cannot be read."""
    loader = _Loader(text_of(path, error, largest=LARGEST))
    try:
        root = loader.get_single_node()
        if root is None:
            raise error(f"{path}:1: the file is empty; write lines such as 'key: value'")
        for problem in _problems(root):
            raise error(f"{path}:{problem}")
        return YamlFile(path, loader.construct_document(root), root)
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        raise error(f"{path}:{line}: not valid YAML: {problem.problem}") from None
    except RecursionError:
        raise error(f"{path}: not valid YAML: it is nested too deeply") from None
    except (yaml.YAMLError, ValueError, TypeError, LookupError, OverflowError) as problem:
        # what PyYAML's constructors raise of a value that is none of its tag, as ``!!int x``
        raise error(f"{path}: not valid YAML: {_reason(problem)}") from None
    finally:
        loader.dispose()


def _problems(root: yaml.Node) -> Iterator[str]:
    """Yield what speaks against building a document, with its line."""
    left = MOST
    waiting: list[tuple[yaml.Node, int]] = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        left -= 1
        line = node.start_mark.line + 1
        if depth > DEEPEST:
            yield f"{line}: nested too deeply; allowed: {DEEPEST} levels (an alias inside itself?)"
            return
        if left < 0:
            yield f"{line}: the file unfolds to too many values; allowed: {MOST:,}"
            return
        if isinstance(node, yaml.MappingNode):
            yield from _bad_keys(node)
        if isinstance(node, yaml.MappingNode | yaml.SequenceNode):
            waiting += [(child, depth + 1) for child in _children(node)]


def _children(node: yaml.MappingNode | yaml.SequenceNode) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [value for _, value in node.value]
    return list(node.value)


def _bad_keys(node: yaml.MappingNode) -> Iterator[str]:
    """YAML keeps the last of two equal keys; a figure that silently wins is refused here."""
    seen: set[str] = set()
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            yield f"{line}: a key is no word; write lines such as 'key: value'"
        elif key.value in seen:
            yield f"{line}: {key.value}: appears twice; allowed: once"
        else:
            seen.add(key.value)


def _reason(problem: Exception) -> str:
    text = str(problem)
    if "integer string conversion" in text:
        return "a number has too many digits"
    return text.splitlines()[0] if text else type(problem).__name__
