"""Known mistakes by what they do: each predicts an implementation's whole result.

To add one, write a function that yields its variants into the file of its subject and decorate it
with ``@mistake("its name")``.
"""

from symconv.verifying.mistakes import channels, kernels, padding, parameters, pooling, sizes
from symconv.verifying.mistakes.base import MISTAKES, Case

__all__ = ["MISTAKES", "Case", "channels", "kernels", "padding", "parameters", "pooling", "sizes"]
