"""Give the inputs of an ONNX file the sizes that are stated of them."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from advisor.core.option import MOST_ELEMENTS
from advisor.errors import NetworkError
from advisor.networks import InputSizes

USUAL_CHANNELS = 3


def fix_inputs(
    model: Any, path: Path, height: int | None, width: int | None, stated: InputSizes
) -> tuple[int, int]:
    """Set batch and unknown sizes of all inputs; return height and width of the image.

    Images, inputs of four dimensions, take ``height`` and ``width``; ``stated`` are sizes by
    name, with or without the batch. Raises NetworkError where a size stays unknown or is fixed
    otherwise.
    """
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [item for item in model.graph.input if item.name not in constants]
    by_name = _by_name(inputs, path, stated)
    images = [item for item in inputs if len(_dims(item)) == 4]
    if not images and not by_name:
        shapes = ", ".join(f"{i.name} {_shown(i)}" for i in inputs) or "none"
        raise NetworkError(
            f"{path}: one image input of four dimensions is needed; it has {shapes}; state what "
            "it takes by --input NAME=SIZES"
        )
    for item in inputs:
        for what, absurd in (
            ("a negative size", lambda size: size.dim_value < 0),
            ("a size of zero", lambda size: size.HasField("dim_value") and size.dim_value == 0),
        ):
            if any(map(absurd, _dims(item)[1:])):
                raise NetworkError(f"{path}: input {item.name!r} has {what}: {_shown(item)}")
        if item.name in by_name:
            _fix_stated(item, path, by_name[item.name])
        elif len(_dims(item)) == 4:
            _fix_image(item, path, height, width, _channels_read(model, item.name))
        else:
            _fix_other(item, path)
        if math.prod(size.dim_value for size in _dims(item)) > MOST_ELEMENTS:
            raise NetworkError(f"{path}: input {item.name!r} is too large: {_shown(item)}")
    return _plane(images[0] if images else next(i for i in inputs if i.name in by_name))


def _by_name(inputs: Sequence[Any], path: Path, stated: InputSizes) -> dict[str, tuple[int, ...]]:
    names = [item.name for item in inputs]
    if "" in stated and len(inputs) == 1:
        return {names[0]: stated[""]}
    unknown = next((name for name in stated if name not in names), None)
    if unknown is not None:
        shapes = ", ".join(f"{item.name} {_shown(item)}" for item in inputs)
        what = f"no input {unknown!r}" if unknown else "several inputs; name them"
        raise NetworkError(f"{path}: --input: it has {what}: {shapes}")
    return dict(stated)


def _fix_stated(item: Any, path: Path, sizes: tuple[int, ...]) -> None:
    dims, before = _dims(item), _shown(item)
    wanted = sizes if len(sizes) == len(dims) else (1, *sizes)
    if len(wanted) != len(dims):
        raise NetworkError(
            f"{path}: input {item.name!r} has the sizes {_shown(item)}, "
            f"{'x'.join(map(str, sizes))} does not fit them"
        )
    for place, (size, asked) in enumerate(zip(dims, wanted, strict=True)):
        if size.dim_value not in (0, asked) and (place or len(sizes) == len(dims)):
            raise NetworkError(
                f"{path}: input {item.name!r} has a fixed size of {before}, "
                f"{'x'.join(map(str, sizes))} cannot be set; export it with a dynamic size"
            )
        size.dim_value = asked


def _fix_image(item: Any, path: Path, height: int | None, width: int | None, channels: int) -> None:
    batch, first, second, third = _dims(item)
    batch.dim_value = 1
    last = third.dim_value in (1, 3) and first.dim_value not in (1, 3)
    places = ((first, height), (second, width or height)) if last else (
        (second, height), (third, width or height))  # fmt: skip
    for side, asked in places:
        if side.dim_value and asked not in (None, side.dim_value):
            fixed = "x".join(str(s.dim_value or "?") for s, _ in places)
            raise NetworkError(
                f"{path}: input {item.name!r} has a fixed size of {fixed}, {asked} cannot be set; "
                "export it with a dynamic size"
            )
        if not side.dim_value:
            if asked is None:
                raise NetworkError(
                    f"{path}: the size of input {item.name!r} is dynamic; write "
                    f"{path}@RESOLUTION or {path}@HEIGHTxWIDTH"
                )
            side.dim_value = asked
    if not last:
        first.dim_value = first.dim_value or channels


def _fix_other(item: Any, path: Path) -> None:
    """Set the batch of an input that is no image; its other sizes have to be known."""
    for place, size in enumerate(_dims(item)):
        if not size.dim_value and place:
            raise NetworkError(
                f"{path}: the size of input {item.name!r}, {_shown(item)}, is dynamic; state it by "
                f"--input {item.name}=SIZES"
            )
        size.dim_value = max(size.dim_value, 1)


def _channels_read(model: Any, name: str) -> int:
    """Channels that the first convolution on an input reads."""
    sizes = {tensor.name: tensor.dims for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Conv" and node.input[0] == name and node.input[1] in sizes:
            groups = next((a.i for a in node.attribute if a.name == "group"), 1)
            return int(sizes[node.input[1]][1]) * int(groups)
    return USUAL_CHANNELS


def _plane(item: Any) -> tuple[int, int]:
    """Height and width of an image; the largest size of anything else, twice."""
    sizes = [int(size.dim_value) for size in _dims(item)]
    if len(sizes) != 4:
        return max(sizes, default=1), max(sizes, default=1)
    last = sizes[3] in (1, 3) and sizes[1] not in (1, 3)
    return (sizes[1], sizes[2]) if last else (sizes[2], sizes[3])


def _dims(item: Any) -> Any:
    return item.type.tensor_type.shape.dim


def _shown(item: Any) -> str:
    sizes = [
        str(size.dim_value) if size.HasField("dim_value") else size.dim_param or "?"
        for size in _dims(item)
    ]
    return "x".join(sizes) or "of no rank"
