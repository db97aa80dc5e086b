"""``torch.compile`` as an engine: `TorchFunctional`, compiled for each geometry.

References
----------
J. Ansel et al., *PyTorch 2* (2024), ASPLOS.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

from symconv.adapters.engines.base import Array, Function
from symconv.adapters.engines.torch_functional import TorchFunctional
from symconv.errors import MissingExtraError

__all__ = ["TorchCompiled"]


class TorchCompiled(TorchFunctional):
    """``torch.compile`` in its default mode, as one whole graph or an error.

    Compiling takes seconds for a geometry, once for each of a few batch sizes; it needs a C++
    compiler. A function that torch would run uncompiled, because it was compiled too often, raises
    instead.
    """

    name = "torch-compile"

    def __init__(self) -> None:
        super().__init__()
        cpp = self._import("torch._inductor.cpp_builder")
        try:
            cpp.get_cpp_compiler()
        except Exception as error:
            # An error class of inductor's own, which no two versions share.
            raise MissingExtraError(f"engine {self.name} needs a C++ compiler: {error}") from None

    def _called(self, run: Any, rank: int) -> Function:
        torch = self.torch
        # Compiled code is kept by code object, a few versions of each: every geometry has its own.
        fresh: Any = FunctionType(
            run.__code__.replace(co_name=f"geometry_{id(run)}"),
            run.__globals__,
            run.__name__,
            run.__defaults__,
            run.__closure__,
        )
        compiled = torch.compile(fresh, fullgraph=True)

        def called(*arguments: Array) -> Array:
            with torch.no_grad():
                return self._array(compiled(*(self._tensor(each, rank) for each in arguments)))

        return called
