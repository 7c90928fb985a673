"""Use cases: presets that set limits and weights, say why, and what to watch out for."""

from pathlib import Path

from advisor.core.document import UseCase
from advisor.errors import CatalogError, unknown_name
from advisor.hardware.library import read_mapping

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Names of the presets, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def use_case(name: str) -> UseCase:
    """Read a preset; UsageError names the nearest ones."""
    if name not in names():
        raise unknown_name("use case", name, names(), "advisor recommend --help")
    from pydantic import ValidationError

    path = FOLDER / f"{name}.yaml"
    try:
        return UseCase.model_validate({"name": name, **read_mapping(path)})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise CatalogError(f"{path}: field {field!r}: {first['msg']}") from None


def defaults(name: str) -> dict[str, str]:
    """Options that a preset sets, by their parameter names; the command line goes before them."""
    found = use_case(name).options
    return {option.replace("-", "_"): value for option, value in found.items()}
