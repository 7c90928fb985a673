"""What the program imports is declared, and what is declared is used."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAMED_OTHERWISE = {
    "PIL": "pillow",
    "annotated_types": "pydantic",
    "pydantic_core": "pydantic",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
    "google": "protobuf",
    "grpc": "grpcio",
}
"""Modules whose package has another name."""
UNDECLARED = {
    "pandas": "tables of the Python API, where it is installed",
    "tensorrt": "comes with the system image of the boards that have it",
}
"""Packages that are imported and cannot be declared."""
BY_NAME = {
    "grpcio": "Optuna's proxy of a storage",
    "ipykernel": "the notebook that runs the documentation's",
    "onnxscript": "PyTorch's export to ONNX",
    "protobuf": "Optuna's proxy of a storage",
    "psycopg": "the address of a PostgreSQL storage",
    "torch-pruning": "the compression of trials",
}
"""Packages that something else imports for the program."""
TOOLS = ("mypy", "pytest", "ruff", "types-")
"""Packages of ``dev`` that are run, not imported."""
RUNTIMES = ("onnxruntime", "openvino", "ncnn", "inductor")
"""Extras that the slow tests of measuring use."""
BOARD = ROOT / "advisor" / "measuring" / "kit" / "measure_on_board.py"
"""Runs where nothing of ours is installed."""


def imported(folder: Path, *, at_start: bool = False) -> Iterator[tuple[str, Path]]:
    """Yield (package, file); ``at_start``: only what importing the module imports."""
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body if at_start else ast.walk(tree):
            for name in _names(node):
                top = name.partition(".")[0]
                if top not in sys.stdlib_module_names and path != BOARD:
                    yield NAMED_OTHERWISE.get(top, top.replace("_", "-").lower()), path


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module]
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.importorskip":
        return [ast.literal_eval(node.args[0])]
    return []


def packages(requirements: list[str]) -> set[str]:
    """Return the names of some requirements."""
    found = {re.split(r"[\[<>=!~; ]", text, maxsplit=1)[0].lower() for text in requirements}
    return found - {PROJECT["name"]}


BASE = packages(PROJECT["dependencies"])
EXTRAS = {name: packages(found) for name, found in PROJECT["optional-dependencies"].items()}
OPTIONAL = {name for extra, found in EXTRAS.items() if extra != "dev" for name in found}
MEASURE = {name for extra in RUNTIMES for name in EXTRAS[extra]}
PROGRAM = {name for name, _ in imported(ROOT / "advisor")} - {"advisor"}


def test_every_import_of_the_program_is_declared() -> None:
    assert PROGRAM - UNDECLARED.keys() <= BASE | OPTIONAL


def test_every_declared_package_is_imported() -> None:
    assert (BASE | OPTIONAL) - BY_NAME.keys() <= PROGRAM


def test_tests_need_no_more_than_is_installed_for_them() -> None:
    local = {path.stem.replace("_", "-") for path in (ROOT / "tests").rglob("*.py")}
    found = {name for name, _ in imported(ROOT / "tests")} - local - {"advisor", "tests"}
    assert found <= BASE | EXTRAS["dev"] | MEASURE


def test_dev_brings_nothing_that_nobody_uses() -> None:
    used = PROGRAM | {name for name, _ in imported(ROOT / "tests")}
    unused = EXTRAS["dev"] - used - BY_NAME.keys()
    assert not [name for name in sorted(unused) if not name.startswith(TOOLS)]


def test_what_is_optional_is_imported_only_where_it_is_asked_for() -> None:
    """A module that imports it at its start cannot be imported without.

    Commands ask whether it is there before they import a room of trials or of the served page.
    """
    optional = OPTIONAL - BASE
    found = imported(ROOT / "advisor", at_start=True)
    early = [(name, path) for name, path in found if name in optional]
    assert not [(n, p.name) for n, p in early if not {"trials", "serving"} & set(p.parts)]


def test_no_exception_has_become_needless() -> None:
    assert set(UNDECLARED) <= PROGRAM
    assert set(BY_NAME) <= BASE | OPTIONAL | EXTRAS["dev"]
