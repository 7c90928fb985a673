"""NNCF's post-training quantisation of ONNX files, beside ONNX Runtime's own."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.errors import MeasurementError
from advisor.measuring.runtimes.lines import first_line

if TYPE_CHECKING:
    from advisor.measuring.runtimes import Images


def quantise_by_nncf(model: Path, target: Path, batches: tuple[Images, ...]) -> None:
    """Quantise an ONNX file to int8; MeasurementError in one line where it cannot be done.

    ``batches`` set the ranges, in the form of the file's input. Biases are corrected by NNCF, which
    ONNX Runtime's own quantiser does not do.
    """
    import nncf
    import onnx

    logging.getLogger("nncf").setLevel(logging.ERROR)
    nncf.set_log_level(logging.ERROR)
    try:
        held = onnx.load(str(model))
        name = held.graph.input[0].name
        dataset = nncf.Dataset(list(batches), lambda batch: {name: batch})
        onnx.save(nncf.quantize(held, dataset, subset_size=len(batches)), str(target))
    except Exception as error:
        raise MeasurementError(f"NNCF cannot quantise it: {first_line(error)}") from error
