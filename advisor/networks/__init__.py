"""Networks as torch modules: build them, count them. The only package that knows timm and ptflops.

Importing it loads neither torch nor timm; the first call that needs them does.
"""

import re
from pathlib import Path

from advisor.core.workload import Workload

_FACTORY = re.compile(r"(?P<factory>[A-Za-z_][\w.]*:[A-Za-z_]\w*)(?:@(?P<side>\d+))?")
_ONNX = re.compile(r"(?P<path>.+\.onnx)(?:@(?P<side>\d+)(?:x(?P<width>\d+))?)?", re.IGNORECASE)
FACTORY_RESOLUTION = 224
"""Side of the input of a user's own network where none is stated."""


def is_foreign(spelling: str) -> bool:
    """Tell whether a spelling is ``module:factory`` or an ONNX file, not a catalog name."""
    return _ONNX.fullmatch(spelling) is not None or _FACTORY.fullmatch(spelling) is not None


def is_factory(spelling: str) -> bool:
    """Tell whether a spelling is ``module:factory``, whose code would run."""
    return _ONNX.fullmatch(spelling) is None and _FACTORY.fullmatch(spelling) is not None


def describe_spelling(spelling: str) -> Workload:
    """Count a user's own network: ``module:factory[@SIDE]``, ``FILE.onnx[@SIDE]`` or ``@HxW``.

    Raises NetworkError where it cannot be imported, built, read or run.
    """
    onnx = _ONNX.fullmatch(spelling)
    if onnx is not None:
        from advisor.networks.onnx_file import describe_onnx

        side = int(onnx["side"]) if onnx["side"] else None
        width = int(onnx["width"]) if onnx["width"] else None
        return describe_onnx(Path(onnx["path"]), resolution=side, width=width)
    factory = _FACTORY.fullmatch(spelling)
    assert factory is not None, spelling
    from advisor.networks.factories import describe_factory

    return describe_factory(factory["factory"], int(factory["side"] or FACTORY_RESOLUTION))
