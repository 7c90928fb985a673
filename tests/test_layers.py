"""The dependency rule: modules import only from lines above their own, and owners own packages."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "advisor"
LAYERS = (
    ("errors", "quantity", "lane", "spread", "pareto", "workload"),
    ("candidate", "profile", "profile_file", "workload_table", "estimate", "constraint"),
    ("ranking", "search_record", "recommendation"),
    ("library", "catalog", "workload_cache", "blueprints"),
    ("profile_import", "published", "precision", "operator_support", "streaming"),
    ("lanes", "commands"),
    ("claims", "device_facts", "use_cases", "sensitivity", "promising"),
    ("own_figures", "measurement_store", "measurement_table"),
    ("networks",),
    ("estimators", "measurers", "search", "reports", "procurement"),
    ("validation", "variant_accuracy", "host_profile", "board_kit"),
    ("evidence", "assessment", "calibrating"),
    ("judging", "variants", "deciding"),
    ("answer",),
    ("advise",),
    ("completing", "estimate_table", "explanation", "measured_answer", "narrowing"),
    ("procuring", "searched"),
    ("cli", "testing"),
)
"""Modules by line; a module may import from lines above and from its own line."""
FAMILIES = ("estimators", "measurers", "search", "reports")
"""Families never import each other."""
OWNERS = {
    "torch": ("networks", "measurers", "search", "host_profile", "estimators", "testing"),
    "timm": ("networks", "catalog"),
    "ptflops": ("networks",),
    "torchvision": ("networks",),
    "optuna": ("search",),
    "sklearn": ("estimators", "validation"),
    "jinja2": ("reports", "procurement"),
    "yaml": ("library", "profile_import", "profile_file", "procurement", "use_cases", "search"),
}
"""Third-party packages by the modules that may know them."""
PLACE = {name: line for line, names in enumerate(LAYERS) for name in names}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: use absolute imports"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name


def may_import(importer: str, imported: str) -> bool:
    if importer == imported or imported not in PLACE:
        return True
    if importer in FAMILIES and imported in FAMILIES:
        return False
    return PLACE[imported] <= PLACE[importer]


def violations(package: Path) -> Iterator[str]:
    for path in sorted(package.rglob("*.py")):
        module = ".".join(path.relative_to(package).with_suffix("").parts)
        family = module.partition(".")[0]
        if family in ("__init__", "__main__"):
            continue
        for line, name in imports(path):
            top, _, rest = name.partition(".")
            if top == package.name and not may_import(family, rest.partition(".")[0]):
                yield f"{path}:{line}: {family} may not import {rest}"
            elif top in OWNERS and family not in OWNERS[top]:
                owners = ", ".join(OWNERS[top])
                yield f"{path}:{line}: {module} may not import {top}; only {owners}"


def test_the_dependency_rule_holds() -> None:
    assert not list(violations(PACKAGE))


def test_the_rule_catches_planted_violations(tmp_path: Path) -> None:
    package = tmp_path / "advisor"
    for name, source in {
        "quantity.py": "from advisor.estimate import Estimate",  # downwards
        "constraint.py": "from advisor.estimate import Estimate",  # its own line: allowed
        "reports/html.py": "import jinja2, optuna",  # not its owner
        "search/study.py": "import optuna\nfrom advisor.reports import html",  # family to family
        "advise.py": "from advisor.search import study",  # allowed
    }.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(source)
    assert len(list(violations(package))) == 3, list(violations(package))


def test_every_module_has_its_line() -> None:
    modules = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert modules - {"__init__", "__main__", "__pycache__", "data"} == set(PLACE)


def test_no_module_is_a_drawer_for_everything() -> None:
    names = {path.stem for path in PACKAGE.rglob("*.py")}
    assert not names & {"utils", "common", "helpers", "misc", "base"}


def test_a_recommendation_imports_no_training_packages() -> None:
    code = (
        "import sys; from advisor.cli.main import run; "
        "run(['recommend', '--device', 'jetson-nano', '--max-latency', '10ms']); "
        "heavy = {'torch', 'timm', 'optuna', 'sklearn', 'scipy', 'pandas'} & set(sys.modules); "
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
