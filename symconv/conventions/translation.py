"""One framework's spelling written in another, or the steps around it that do the same.

Not every geometry has a spelling everywhere: PyTorch has no asymmetric and no negative padding,
Keras only names, and nobody has a negative output padding. What always works is a step of its
own before or after: a Pad, or a crop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from symconv import checks
from symconv.conventions.base import Convention, Resolved
from symconv.conventions.keras import KerasConv, KerasConvTranspose
from symconv.conventions.onnx import OnnxConv, OnnxConvTranspose, OnnxPool
from symconv.conventions.pytorch import TorchConv, TorchConvTranspose, TorchPool
from symconv.conventions.xla import JaxConvTranspose, XlaConv
from symconv.errors import GeometryError, ParameterTypeError
from symconv.relation import AxisRelation

__all__ = ["FRAMEWORKS", "Translation", "translate"]

Pair = tuple[int, int]

POOLS = (TorchPool, OnnxPool)


@dataclass(frozen=True)
class Translation:
    """How a framework does one axis of a layer.

    Attributes
    ----------
    convention : Convention
        The spelling in the wanted framework.
    pad : (int, int)
        Samples to add to the input first, on each side; negative ones are cropped.
    crop : (int, int)
        Samples to cut from the output afterwards, on each side; negative ones are appended zeros.
    reason : str
        Why the convention alone does not do it, and what does; empty if it does.

    Examples
    --------
    >>> print(translate(KerasConv("same"), "torch", 8, 3, 2))
    TorchConv(padding=0) after Pad (0, 1): PyTorch pads both sides alike, not (0, 1)
    """

    convention: Convention
    pad: Pair = (0, 0)
    crop: Pair = (0, 0)
    reason: str = ""

    @property
    def is_direct(self) -> bool:
        """Whether the convention alone does it."""
        return self.pad == (0, 0) and self.crop == (0, 0)

    def __str__(self) -> str:
        text = str(self.convention)
        if self.pad != (0, 0):
            text += f" after Pad {self.pad}"
        if self.crop != (0, 0):
            text += f" then crop {self.crop}"
        return f"{text}: {self.reason}" if self.reason else text


def _matches(candidate: Convention, axis: AxisRelation, n_in: int, wanted: Resolved) -> bool:
    """Whether a spelling is legal and means the wanted axis."""
    if not candidate.allows(axis, n_in):
        return False
    found = candidate.rule(axis, n_in)
    return (found.pad_lo, found.net_hi, found.output_size, found.relation.input_dilation) == (
        wanted.pad_lo,
        wanted.net_hi,
        wanted.output_size,
        wanted.relation.input_dilation,
    )


# Spellings of a wanted axis, the plainest first; those that do not mean it are sifted out.


def _torch(wanted: Resolved) -> Iterator[Convention]:
    if wanted.is_transposed:
        # One padding p on both sides and op >= 0: lo = p and hi − op = p − op.
        if wanted.pad_lo >= max(wanted.net_hi, 0):
            yield TorchConvTranspose(wanted.pad_lo, wanted.pad_lo - wanted.net_hi)
    elif wanted.pad_lo == wanted.pad_hi >= 0:
        yield TorchConv(wanted.pad_lo)
    else:
        yield TorchConv("same")


def _torch_pool(wanted: Resolved) -> Iterator[Convention]:
    if wanted.pad_lo == wanted.pad_hi >= 0:
        yield TorchPool(wanted.pad_lo)
        yield TorchPool(wanted.pad_lo, ceil_mode=True)


def _keras(wanted: Resolved) -> Iterator[Convention]:
    if wanted.is_transposed:
        for name in ("valid", "same"):
            yield KerasConvTranspose(name)
            for extra in range(wanted.relation.stride):
                yield KerasConvTranspose(name, extra)
    else:
        yield from map(KerasConv, ("valid", "same", "causal"))


def _keras_pool(wanted: Resolved) -> Iterator[Convention]:
    yield from map(KerasConv, ("valid", "same"))


def _onnx(wanted: Resolved) -> Iterator[Convention]:
    if wanted.is_transposed:
        if wanted.pad_lo >= 0:
            hi = max(wanted.net_hi, 0)
            yield OnnxConvTranspose(pads=(wanted.pad_lo, hi), output_padding=hi - wanted.net_hi)
    elif min(wanted.pad_lo, wanted.pad_hi) >= 0:
        yield OnnxConv(pads=(wanted.pad_lo, wanted.pad_hi))


def _onnx_pool(wanted: Resolved) -> Iterator[Convention]:
    if min(wanted.pad_lo, wanted.pad_hi) >= 0:
        pads = wanted.pad_lo, wanted.pad_hi
        yield OnnxPool(pads=pads)
        yield OnnxPool(pads=pads, ceil_mode=True)


def _xla(wanted: Resolved) -> Iterator[Convention]:
    if wanted.is_transposed:
        yield JaxConvTranspose((wanted.pad_lo, wanted.net_hi), use_consistent_padding=True)
    else:
        yield XlaConv((wanted.pad_lo, wanted.pad_hi), wanted.relation.input_dilation)


@dataclass(frozen=True)
class _Framework:
    """What a framework can write, and what it writes without any padding."""

    title: str
    rule: str
    linear: Callable[[Resolved], Iterator[Convention]]
    pool: Callable[[Resolved], Iterator[Convention]]
    bare: Convention
    bare_pool: Convention
    bare_transposed: Convention
    transposed_rule: str
    has_any_padding: bool = False


#: Name → what that framework can spell.
FRAMEWORKS = {
    "torch": _Framework(
        "PyTorch",
        "pads both sides alike",
        _torch,
        _torch_pool,
        TorchConv(),
        TorchPool(),
        TorchConvTranspose(),
        "needs one padding for both sides and 0 <= output_padding < max(stride, dilation)",
    ),
    "keras": _Framework(
        "Keras",
        "knows 'valid', 'same' and 'causal'",
        _keras,
        _keras_pool,
        KerasConv(),
        KerasConv(),
        KerasConvTranspose("valid", 0),
        "knows 'valid' and 'same' with 0 <= output_padding < stride",
    ),
    "onnx": _Framework(
        "ONNX",
        "has pads >= 0",
        _onnx,
        _onnx_pool,
        OnnxConv(),
        OnnxPool(),
        OnnxConvTranspose(),
        "needs pads >= 0 and 0 <= output_padding < max(stride, dilation)",
    ),
    "xla": _Framework(
        "XLA",
        "has padding of any sign",
        _xla,
        _xla,
        XlaConv(),
        XlaConv(),
        JaxConvTranspose((0, 0), use_consistent_padding=True),
        "has padding of any sign",
        has_any_padding=True,
    ),
}


def translate(
    convention: Convention,
    framework: str,
    n_in: int,
    n_taps: int,
    stride: int = 1,
    dilation: int = 1,
) -> Translation:
    """The same axis in another framework, with the steps around it where there must be some.

    Parameters
    ----------
    convention : Convention
        What is meant. A `TorchPool` or `OnnxPool` is a pooling, everything else linear.
    framework : {"torch", "keras", "onnx", "xla"}
    n_in, n_taps, stride, dilation : int

    Returns
    -------
    Translation
        Padding of a pooling must be added with the value that it pads with itself: −∞ for the
        maximum; added zeros count in an average. Zeros appended to a transposed convolution come
        before its bias.

    Raises
    ------
    GeometryError
        If nothing does it: a spread input outside XLA (insert the zeros first).

    Examples
    --------
    >>> print(translate(KerasConvTranspose("same"), "torch", 4, 3, 2))
    TorchConvTranspose(padding=0, output_padding=0) then crop (0, 1): PyTorch needs one padding for
    both sides and 0 <= output_padding < max(stride, dilation), not (0, 1), output_padding -1
    >>> translate(KerasConvTranspose("same"), "torch", 4, 4, 2).convention
    TorchConvTranspose(padding=1, output_padding=0)
    """
    if not isinstance(convention, Convention):
        raise ParameterTypeError(
            f"convention must be a convention, got {type(convention).__name__}"
        )
    target = FRAMEWORKS[checks.choice("framework", framework, FRAMEWORKS)]
    n_in, n_taps, stride, dilation = (
        checks.concrete(name, checks.integer(name, value, 1))
        for name, value in (
            ("n_in", n_in),
            ("n_taps", n_taps),
            ("stride", stride),
            ("dilation", dilation),
        )
    )
    wanted = convention.resolve(n_in, n_taps, stride, dilation)
    axis = AxisRelation(n_taps, stride, dilation)
    is_pool = isinstance(convention, POOLS)
    for candidate in (target.pool if is_pool else target.linear)(wanted):
        if _matches(candidate, axis, n_in, wanted):
            return Translation(candidate)
    if wanted.is_transposed:
        return _cropped(target, wanted)
    return _prepadded(target, wanted, is_pool)


def _prepadded(target: _Framework, wanted: Resolved, is_pool: bool) -> Translation:
    if wanted.relation.input_dilation != 1:
        raise GeometryError(
            f"input_dilation must be 1 for a convolution in {target.title}, got "
            f"{wanted.relation.input_dilation}: insert the zeros first, or transpose"
        )
    lo, hi = wanted.pad_lo, wanted.pad_hi
    shape = f"({lo}, {hi})"
    if wanted.overhang:
        shape += f" and {wanted.overhang} read past it"
    hi += wanted.overhang
    bare = AxisRelation(wanted.relation.n_taps, wanted.relation.stride, wanted.relation.dilation)
    if bare.output_size(wanted.n_in + lo + hi) != wanted.output_size:
        # A window that the wanted rule drops is dropped here by ending at the last one kept.
        hi = bare.input_size(wanted.output_size) - wanted.n_in - lo
    if target.has_any_padding:
        return Translation(XlaConv((lo, hi)))
    convention = target.bare_pool if is_pool else target.bare
    if (lo, hi) == (0, 0):
        return Translation(convention)
    return Translation(convention, (lo, hi), reason=f"{target.title} {target.rule}, not {shape}")


def _cropped(target: _Framework, wanted: Resolved) -> Translation:
    lo, hi = wanted.pad_lo, wanted.net_hi
    reason = f"{target.title} {target.transposed_rule}, not ({lo}, {hi})"
    if lo < hi:
        reason += f", output_padding {lo - hi}"
    return Translation(target.bare_transposed, crop=(lo, hi), reason=reason)
