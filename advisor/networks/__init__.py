"""Networks as torch modules: build them, count them. The only package that knows timm and ptflops.

Importing it loads neither torch nor timm; the first call that needs them does.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from advisor.core.workload import Workload
from advisor.errors import UsageError

_SIZE = r"(?:@(?P<side>\d{1,5})(?:x(?P<width>\d{1,5}))?)?"
_FACTORY = re.compile(
    rf"(?P<factory>(?:[A-Za-z_][\w.]*|[^:@]+\.py):[A-Za-z_][\w.]*){_SIZE}", re.IGNORECASE
)
_ONNX = re.compile(rf"(?P<path>.+\.onnx){_SIZE}", re.IGNORECASE)
FACTORY_RESOLUTION = 224
"""Side of the input of a user's own network where none is stated."""
InputSizes = Mapping[str, tuple[int, ...]]
"""Sizes of a network's inputs without the batch, by name; ``""`` is the only one."""
NO_INPUTS: InputSizes = {}


def is_foreign(spelling: str) -> bool:
    """Tell whether a spelling is ``module:factory`` or an ONNX file, not a catalog name."""
    return _ONNX.fullmatch(spelling) is not None or _FACTORY.fullmatch(spelling) is not None


def is_factory(spelling: str) -> bool:
    """Tell whether a spelling is ``module:factory``, whose code would run."""
    return _ONNX.fullmatch(spelling) is None and _FACTORY.fullmatch(spelling) is not None


def describe_spelling(spelling: str, inputs: InputSizes = NO_INPUTS) -> Workload:
    """Count a user's own network: ``module:factory``, ``FILE.py:factory`` or ``FILE.onnx``.

    Each may end in ``@SIDE`` or ``@HEIGHTxWIDTH``. ``inputs`` are the sizes of inputs by name.
    Raises NetworkError where it cannot be imported, built, read or run, UsageError where its
    size is stated twice.
    """
    onnx = _ONNX.fullmatch(spelling)
    found = onnx or _FACTORY.fullmatch(spelling)
    assert found is not None, spelling
    height = int(found["side"]) if found["side"] else None
    width = int(found["width"]) if found["width"] else height
    if 0 in (height, width):
        raise UsageError(f"{spelling}: an input has at least one pixel")
    if onnx is not None:
        from advisor.networks.onnx_file import describe_onnx

        return describe_onnx(Path(onnx["path"]), resolution=height, width=width, inputs=inputs)
    if inputs and height is not None:
        raise UsageError(f"{spelling}: state the size by @{height} or by --input, not by both")
    from advisor.networks.factories import describe_factory

    side = height or FACTORY_RESOLUTION
    return describe_factory(found["factory"], side, width=width or side, inputs=inputs)
