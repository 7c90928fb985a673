"""What the program imports is declared, and what is declared is used."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from advisor.core.extras import EXTRAS as MODULES
from advisor.core.extras import INCLUDED, install

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
    "mlflow": "mlflow-skinny",
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
TOOLS = ("bandit", "mkdocs", "mypy", "pytest", "ruff", "types-")
"""Packages of ``dev`` that are run, not imported."""
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
    """Return the names of some requirements, those of the extras they name among them."""
    found = set()
    for text in requirements:
        own = re.fullmatch(rf"{PROJECT['name']}\[(.*)\]", text)
        if own is not None:
            for extra in own[1].split(","):
                found |= packages(PROJECT["optional-dependencies"][extra])
        else:
            found.add(re.split(r"[\[<>=!~; ]", text, maxsplit=1)[0].lower())
    return found


BASE = packages(PROJECT["dependencies"])
EXTRAS = {name: packages(found) for name, found in PROJECT["optional-dependencies"].items()}
OPTIONAL = {n for extra, found in EXTRAS.items() if extra not in ("dev", "docs") for n in found}
PROGRAM = {name for name, _ in imported(ROOT / "advisor")} - {"advisor"}


def test_every_import_of_the_program_is_declared() -> None:
    assert PROGRAM - UNDECLARED.keys() <= BASE | OPTIONAL


def test_every_declared_package_is_imported() -> None:
    assert (BASE | OPTIONAL) - BY_NAME.keys() <= PROGRAM


def test_tests_need_no_more_than_is_installed_for_them() -> None:
    local = {path.stem.replace("_", "-") for path in (ROOT / "tests").rglob("*.py")}
    ours = {"advisor", "benchmarks", "tests"}
    found = {name for name, _ in imported(ROOT / "tests")} - local - ours
    assert found <= BASE | EXTRAS["dev"]


def test_dev_brings_nothing_that_nobody_uses() -> None:
    used = PROGRAM | {name for name, _ in imported(ROOT / "tests")}
    unused = EXTRAS["dev"] - used - BY_NAME.keys()
    assert not [name for name in sorted(unused) if not name.startswith(TOOLS)]


def test_what_is_optional_is_imported_only_where_it_is_asked_for() -> None:
    """A module that imports it at its start cannot be imported without.

    Commands ask whether it is there before they import a room of networks, of trials or of the
    served page.
    """
    rooms = {"networks", "trials", "preparation.py", "onnx_export.py", "serving"}
    found = imported(ROOT / "advisor", at_start=True)
    early = [(name, path) for name, path in found if name in OPTIONAL - BASE]
    assert not [(n, p.name) for n, p in early if not rooms & set(p.parts)]


def test_every_optional_import_names_the_extra_that_brings_it() -> None:
    found = {NAMED_OTHERWISE.get(m, m.replace("_", "-").lower()): e for m, e in MODULES.items()}
    assert {name for name in PROGRAM if name in OPTIONAL - BASE} <= found.keys()
    assert not [(name, extra) for name, extra in found.items() if name not in EXTRAS[extra]]


def test_an_extra_that_brings_another_is_named_alone() -> None:
    for extra, others in INCLUDED.items():
        assert not [other for other in others if not EXTRAS[other] <= EXTRAS[extra]]
    assert install("torch", "sklearn") == "pip install 'vision-advisor[trial]'"


def test_all_brings_every_extra_but_the_one_that_wants_another_torch() -> None:
    assert OPTIONAL - EXTRAS["all"] == EXTRAS["litert"] - EXTRAS["networks"]
    assert EXTRAS["all"] <= EXTRAS["dev"]


def test_the_installation_without_extras_is_light() -> None:
    assert not BASE & {"torch", "torchvision", "timm", "ptflops", "scipy", "scikit-learn"}


def test_no_exception_has_become_needless() -> None:
    assert set(UNDECLARED) <= PROGRAM
    assert set(BY_NAME) <= BASE | OPTIONAL | EXTRAS["dev"]
