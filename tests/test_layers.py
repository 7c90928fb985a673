"""The dependency rule: modules import only from lines above their own, and owners own packages."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "advisor"
LAYERS = (
    ("errors", "core"),
    ("files",),
    ("hardware", "networks"),
    ("catalog",),
    ("estimators", "measuring", "studies", "trials"),
    ("answering",),
    ("procurement",),
    ("reports",),
    ("serving",),
    ("api", "cli", "testing"),
)
"""Rooms by line; a room imports from lines above its own, ``core`` from ``errors`` too."""
OWNERS = {
    "torch": ("networks", "measuring", "studies", "trials", "estimators.fit", "testing"),
    "timm": ("networks", "trials", "catalog.intake"),
    "ptflops": ("networks",),
    "torchvision": ("networks",),
    "optuna": ("studies", "trials"),
    "scipy": ("estimators", "trials"),
    "sklearn": ("trials",),
    "torchmetrics": ("trials",),
    "mlflow": ("trials",),
    "torch_pruning": ("trials",),
    "PIL": ("trials", "measuring.runtimes.images"),
    "jinja2": ("reports",),
    "flask": ("serving",),
    "werkzeug": ("serving",),
    "waitress": ("cli.serve",),
    "yaml": (
        "files",
        "hardware",
        "catalog.intake",
        "procurement.assumptions",
        "answering.use_cases",
        "studies.export",
    ),
}
"""Third-party packages by the rooms, or modules of rooms, that may know them."""
PLACE = {name: line for line, names in enumerate(LAYERS) for name in names}


def module_of(path: Path) -> str:
    """Return the dotted name of a module of the package."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, *, inside_functions: bool = True) -> Iterator[tuple[int, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if inside_functions else tree.body:
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: use absolute imports"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name


def may_import(importer: str, imported: str) -> bool:
    """Tell whether one room may import another."""
    if importer == imported or imported not in PLACE:
        return True
    return PLACE[imported] < PLACE[importer] or (importer, imported) == ("core", "errors")


def owns(module: str, package: str) -> bool:
    """Tell whether a module lies in a place that may know a third-party package."""
    return any(f"{module}.".startswith(f"{owner}.") for owner in OWNERS[package])


def violations(package: Path) -> Iterator[str]:
    for path in sorted(package.rglob("*.py")):
        module = ".".join(path.relative_to(package).with_suffix("").parts)
        room = module.partition(".")[0]
        if room in ("__init__", "__main__"):
            continue
        for line, name in imports(path):
            top, _, rest = name.partition(".")
            if top == package.name and not may_import(room, rest.partition(".")[0]):
                yield f"{path}:{line}: {room} may not import {rest}"
            elif top in OWNERS and not owns(module, top):
                owners = ", ".join(OWNERS[top])
                yield f"{path}:{line}: {module} may not import {top}; only {owners}"


def test_the_dependency_rule_holds() -> None:
    assert not list(violations(PACKAGE))


def test_the_rule_catches_planted_violations(tmp_path: Path) -> None:
    package = tmp_path / "advisor"
    for name, source in {
        "core/quantity.py": "from advisor.errors import AdvisorError",  # the noun below all
        "core/estimate.py": "from advisor.hardware.profile import DeviceProfile",  # downwards
        "reports/html.py": "import jinja2, optuna",  # not its owner
        "studies/study.py": "import optuna\nfrom advisor.measuring import store",  # wing to wing
        "answering/search.py": "from advisor.studies import study",  # allowed
    }.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(source)
    assert len(list(violations(package))) == 3, list(violations(package))


def test_modules_import_each_other_in_no_circle() -> None:
    known = {module_of(path): path for path in PACKAGE.rglob("*.py")}
    graph = {
        module: {
            target
            for _, name in imports(path, inside_functions=False)
            for target in (name, name.rpartition(".")[0])
            if target in known and target != module
        }
        for module, path in known.items()
    }
    list(TopologicalSorter(graph).static_order())


def test_every_room_has_its_line() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert rooms - {"__init__", "__main__", "__pycache__", "data"} == set(PLACE)


def test_no_module_is_a_drawer_for_everything() -> None:
    names = {path.stem for path in PACKAGE.rglob("*.py")}
    assert not names & {"utils", "common", "helpers", "misc", "base"}


def test_a_recommendation_imports_neither_training_packages_nor_schemas() -> None:
    code = (
        "import sys; from advisor.cli.main import run; "
        "run(['recommend', '--device', 'jetson-nano', '--max-latency', '10ms']); "
        "heavy = {'torch', 'timm', 'optuna', 'sklearn', 'scipy', 'pandas', 'pydantic', 'jinja2', "
        "'sqlalchemy', 'importlib.metadata'} & set(sys.modules); "
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_imports_neither_numpy_nor_pydantic() -> None:
    code = (
        "import sys; from advisor.cli.main import run; run(['--help']); "
        "sys.exit(bool({'numpy', 'pydantic', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_public_class_has_a_name_of_its_own() -> None:
    found = Counter(
        node.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in found.items() if count > 1] == []


FAMILIES = (
    "cli",
    "networks.blueprints",
    "networks.pricing",
    "estimators.accuracy",
)
"""Folders of alternatives: a module may be called like one elsewhere that it belongs to."""


def test_every_module_has_a_name_of_its_own() -> None:
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        module = module_of(path).removeprefix("advisor.")
        if not path.stem.startswith("__") and not module.startswith(FAMILIES):
            found.setdefault(path.stem, set()).add(module)
    assert [modules for modules in found.values() if len(modules) > 1] == []
