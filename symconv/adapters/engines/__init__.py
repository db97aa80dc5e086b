"""Other libraries as implementations to verify: one file an engine, one line of `ENGINES` each.

An engine gives the function of a layer at a size with its library's own calls, and refuses, with
`symconv.verifying.UnsupportedError` and the reason, what the library documents that it does not
take. What it takes and then fails at is a finding of `symconv.verify`.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from symconv.adapters.engines.base import Engine
from symconv.checks import choice, shown
from symconv.errors import ParameterError

__all__ = ["ENGINES", "Engine", "engine"]

#: Name → where its class is, imported when it is asked for.
ENGINES = {
    "torch": "torch_functional:TorchFunctional",
    "torch-channels-last": "torch_functional:TorchChannelsLast",
    "torch-compile": "torch_compiled:TorchCompiled",
    "torch-modules": "torch_modules:TorchModules",
    "onnxruntime": "onnxruntime:OnnxRuntime",
    "onnxruntime-constant": "onnxruntime:OnnxRuntimeConstant",
    "onnxruntime-unoptimised": "onnxruntime:OnnxRuntimeUnoptimised",
    "onnx-reference": "onnx_reference:OnnxReference",
    "jax": "jax:Jax",
    "jax-consistent": "jax:JaxConsistent",
    "keras": "keras:Keras",
    "scipy-correlate": "scipy_signal:Correlate",
    "scipy-correlate2d": "scipy_signal:Correlate2d",
    "scipy-fftconvolve": "scipy_signal:FftConvolve",
    "scipy-oaconvolve": "scipy_signal:OaConvolve",
    "scipy-ndimage": "scipy_ndimage:NdImage",
}


def engine(name: str, **options: Any) -> Engine:
    """An engine by its name, for `symconv.verify`.

    Parameters
    ----------
    name : str
        One of `ENGINES`.
    **options
        Of the engine's class: ``opset`` of the ONNX engines.

    Returns
    -------
    Engine

    Raises
    ------
    ParameterError
        If there is no engine of this name, or it has no such option.
    MissingExtraError
        If its library is not installed; the message names the extra.

    Examples
    --------
    >>> import symconv as sc
    >>> scipy = engine("scipy-correlate")
    >>> layer = sc.Conv2d(2, 3, (2, 3), bias=False)
    >>> sc.verify(scipy, layer, (4, 5)).status
    'PROVED'
    >>> print(sc.verify(scipy, sc.Conv1d(1, 1, 2, stride=2), (4,)).reason)
    the implementation does not take this geometry: stride must be 1 in scipy-correlate, got (2,)
    >>> print(scipy.supported())
    Conv  stride, dilation and input_dilation 1; padding 0, K−1 on both sides, or "same" as SciPy
          centres it; channels and groups by a loop
    """
    module, _, found = ENGINES[choice("engine", name, ENGINES)].partition(":")
    kind = getattr(import_module(f"{__name__}.{module}"), found)
    known = inspect.signature(kind).parameters
    if not set(options) <= set(known):
        raise ParameterError(
            f"options of {name} must be among {', '.join(known) or 'none'}, got {shown(options)}"
        )
    made: Engine = kind(**options)
    return made
