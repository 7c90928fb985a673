"""Write a network as an ONNX file: the form that most runtimes and boards read."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from advisor.errors import MeasurementError
from advisor.measuring.runtimes import Images
from advisor.measuring.runtimes.lines import first_line

OPSET = 17
INPUT, OUTPUT = "input", "output"


def export_onnx(network: nn.Module, example: Images, path: Path) -> None:
    """Trace a network at the example's size; the exporter by graph capture is the second try.

    Raises MeasurementError with both reasons where neither can.
    """
    reasons = []
    for dynamo in (False, True):
        try:
            _export(network, example, path, dynamo=dynamo)
        except Exception as error:
            reasons.append(first_line(error))
        else:
            return
    raise MeasurementError(f"cannot be written as ONNX: {'; then '.join(reasons)}")


def _export(network: nn.Module, example: Images, path: Path, *, dynamo: bool) -> None:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    options: dict[str, Any] = {"external_data": False} if dynamo else {"do_constant_folding": True}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.from_numpy(np.ascontiguousarray(example)),),
            str(path),
            input_names=[INPUT],
            output_names=[OUTPUT],
            opset_version=18 if dynamo else OPSET,
            dynamo=dynamo,
            **options,
        )
