"""Packages that only some commands need, the extra that brings each, and the line that says so.

The installation without extras answers, compares, searches and reports. Whatever needs more asks
here first; an import that nobody asked for is told apart by ``missing_extra``.
"""

from importlib.util import find_spec

from advisor.errors import AdvisorError, MissingPackageError

EXTRAS = {
    "torch": "networks",
    "timm": "networks",
    "ptflops": "networks",
    "torchvision": "networks",
    "PIL": "networks",
    "scipy": "fit",
    "joblib": "fit",
    "sklearn": "trial",
    "safetensors": "trial",
    "torchmetrics": "trial",
    "torch_pruning": "trial",
    "onnx": "onnx",
    "onnxruntime": "measure",
    "onnxscript": "measure",
    "openvino": "measure",
    "nncf": "measure",
    "ncnn": "measure",
    "pnnx": "measure",
    "torchao": "measure",
    "ai_edge_litert": "litert",
    "litert_torch": "litert",
    "pandas": "notebook",
    "psycopg": "storage",
    "grpc": "storage",
    "google": "storage",
    "flask": "serve",
    "waitress": "serve",
    "werkzeug": "serve",
    "weasyprint": "pdf",
    "mlflow": "track",
}
"""Extra of ``vision-advisor`` by the name of a module."""
INCLUDED = {
    "trial": ("networks",),
    "fit": ("networks",),
    "measure": ("networks", "onnx"),
    "litert": ("networks",),
}
"""Extras that an extra brings with it."""
COUNTING = ("torch", "timm", "ptflops")
"""Modules that build and count networks which the catalog does not hold."""
TRAINING = ("torch", "timm", "torchvision", "torchmetrics", "sklearn", "safetensors", "PIL")
"""Modules that trials need."""
FITTING = ("joblib", "scipy", "torch")
"""Modules that fit the estimators to the catalog."""
_PACKAGES = {
    "PIL": "pillow",
    "google": "protobuf",
    "grpc": "grpcio",
    "sklearn": "scikit-learn",
    "mlflow": "mlflow-skinny",
    "torch_pruning": "torch-pruning",
    "ai_edge_litert": "ai-edge-litert",
    "litert_torch": "litert-torch",
}


def package_of(module: str) -> str:
    """Return the name under which a module is installed."""
    return _PACKAGES.get(module, module)


def install(*modules: str) -> str:
    """Return the command that brings some modules of EXTRAS."""
    extras = list(dict.fromkeys(EXTRAS[module] for module in modules))
    brought = {other for extra in extras for other in INCLUDED.get(extra, ())}
    return f"pip install 'vision-advisor[{','.join(e for e in extras if e not in brought)}]'"


def absent(purpose: str, *modules: str) -> str | None:
    """Say in one line what ``purpose`` lacks of some modules of EXTRAS; None where all are here."""
    lacking = [module for module in modules if find_spec(module) is None]
    if not lacking:
        return None
    names = ", ".join(map(package_of, lacking))
    return f"{purpose} needs {names}; install with {install(*lacking)}"


def require(purpose: str, *modules: str, kind: type[AdvisorError] = MissingPackageError) -> None:
    """Raise ``kind`` where one of some modules of EXTRAS is missing; import nothing."""
    line = absent(purpose, *modules)
    if line is not None:
        raise kind(line)


def missing_extra(error: ImportError) -> MissingPackageError | None:
    """Return the error for an import that failed for want of an extra; None for any other."""
    module = (error.name or "").partition(".")[0]
    line = absent("this command", module) if module in EXTRAS else None
    return None if line is None else MissingPackageError(line)
