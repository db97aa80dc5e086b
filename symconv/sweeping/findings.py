"""What a sweep finds: each distinct defect once, at its smallest reproduction.

Two failures are the same defect where they have the same kind of layer, fail in the same way, and
a name in common. Without a name they are the same where their smallest reproductions use the same
parameters and what is wrong there has the same form: terms missing, terms too many, other factors,
or terms at other places.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from symconv.layers import Layer
from symconv.parsing import parse_layer
from symconv.sweeping.rechecking import Recheck
from symconv.verifying import Counterexample, Verification
from symconv.verifying.shrinking import measure

__all__ = ["Finding", "finding_of", "joined", "same_defect", "traits", "wording"]


@dataclass(frozen=True)
class Finding:
    """One distinct defect.

    Attributes
    ----------
    layer, input_size, batch, dtype
        Its smallest reproduction.
    kind, reason : str
        As of `symconv.verifying.Failure`.
    mistakes : tuple of str
        Known mistakes that explain it, none where none fits.
    rows : tuple of str
        The first wrong outputs in words.
    picture : str
        Both matrices, where they are small.
    form : str
        What the difference of the matrices is; empty where there are no values to compare.
    recheck : Recheck
        What loops that share no code with symconv say.
    first : str
        The geometry at which it was met first.
    times : int
        Geometries that were shrunk to it.
    like : int
        Further geometries that fail in this way and have all its parameters, not shrunk.
    """

    layer: Layer
    input_size: tuple[int, ...]
    batch: int
    dtype: str
    kind: str
    reason: str
    mistakes: tuple[str, ...]
    rows: tuple[str, ...]
    picture: str
    form: str
    recheck: Recheck
    first: str
    times: int = 1
    like: int = 0

    @property
    def title(self) -> str:
        """The mistake's name, or how it fails."""
        if self.mistakes:
            return " or ".join(self.mistakes)
        return {"values": self.form or "wrong values", "raises": wording(self.reason)}.get(
            self.kind, self.kind
        )

    def __str__(self) -> str:
        lines = [f"{type(self.layer).__name__}: {self.title}"]
        size = "×".join(map(str, self.input_size))
        lines.append(f"  smallest: {self.layer!r} on {size}, batch {self.batch}, {self.dtype}")
        lines.append(f"  {self.reason}")
        lines.extend(f"  {row}" for row in self.rows)
        lines.extend(f"  {line}" for line in self.picture.splitlines())
        confirmed = "confirmed" if self.recheck.confirmed else "NOT confirmed"
        lines.append(f"  {confirmed} by integer loops: {self.recheck.text}")
        lines.append(f"  met {self.times} times, first at {self.first}; {self.like} more like it")
        return "\n".join(lines)

    def data(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self) | {"layer": repr(self.layer), "title": self.title}

    @classmethod
    def read(cls, data: dict[str, Any]) -> Finding:
        """From what `data` wrote.

        Raises
        ------
        KeyError, TypeError, ParseError
            If it is something else.
        """
        if not isinstance(data, dict):
            raise TypeError(f"finding must be an object, got {type(data).__name__}")
        given = {name: value for name, value in data.items() if name != "title"}
        given["layer"] = parse_layer(given["layer"])
        for name in ("input_size", "mistakes", "rows"):
            given[name] = tuple(given[name])
        recheck = Recheck(**given["recheck"])
        # JSON has lists alone.
        given["recheck"] = replace(
            recheck,
            arguments=tuple(recheck.arguments),
            right=recheck.right or (),
            found=recheck.found or (),
        )
        return cls(**given)


def finding_of(verdict: Verification, dtype: str, recheck: Recheck, first: str) -> Finding:
    """The finding of a shrunk and named refutation."""
    case: Counterexample = verdict.counterexample
    return Finding(
        case.layer,
        case.input_size,
        case.batch,
        dtype,
        case.kind,
        case.reason,
        verdict.mistakes,
        tuple(row.written(case.names) for row in case.rows),
        case.picture,
        _form(case),
        recheck,
        first,
    )


def _form(case: Counterexample) -> str:
    """How the found coefficients of the first wrong outputs differ from the right ones."""
    forms = set()
    for row in case.rows:
        right = {(each.weight, each.input): each.value for each in row.right}
        found = {(each.weight, each.input): each.value for each in row.found}
        if right.keys() == found.keys():
            forms.add("other factors")
        elif found.keys() < right.keys():
            forms.add("terms missing")
        elif right.keys() < found.keys():
            forms.add("terms too many")
        else:
            forms.add("terms at other places")
    return " and ".join(sorted(forms))


def wording(reason: str) -> str:
    """A message without its numbers: what two failures have in common.

    Examples
    --------
    >>> wording("raises RuntimeError: got 12 where -3.5e2 is right")
    'raises RuntimeError: got # where # is right'
    """
    return re.sub(r"[-−]?\d+(?:[.,e×x]\d+)*", "#", reason)[:160]


def same_defect(first: Finding, second: Finding) -> bool:
    """Whether two findings are one defect; see the module."""
    if (type(first.layer), first.kind) != (type(second.layer), second.kind):
        return False
    if first.recheck.confirmed != second.recheck.confirmed:
        return False
    if first.mistakes or second.mistakes:
        return bool(set(first.mistakes) & set(second.mistakes))
    if first.kind == "raises":
        return wording(first.reason) == wording(second.reason)
    return (first.form, _window(first.layer)) == (second.form, _window(second.layer))


def _window(layer: Layer) -> frozenset[str]:
    """The traits that do not count axes."""
    return frozenset(each for each in traits(layer) if not each.endswith("axes"))


def joined(first: Finding, second: Finding) -> Finding:
    """One finding of two: the smaller reproduction, the names that both leave."""
    names = tuple(name for name in first.mistakes if name in second.mistakes)
    smaller = min(first, second, key=lambda each: measure(each.layer, each.input_size))
    return replace(
        smaller,
        mistakes=names,
        first=first.first,
        times=first.times + second.times,
        like=first.like + second.like,
    )


def traits(layer: Layer) -> frozenset[str]:
    """The parameters of a layer that are not plain.

    Examples
    --------
    >>> import symconv as sc
    >>> sorted(traits(sc.MaxPool1d(2, padding=((0, 1),), ceil_mode=True)))
    ['asymmetric padding', 'ceil_mode', 'kernel_size', 'padding', 'stride']
    """
    given: Any = layer
    found = set()
    for name, plain in (
        ("kernel_size", 1), ("stride", 1), ("dilation", 1), ("input_dilation", 1),
        ("output_padding", 0),
    ):  # fmt: skip
        if any(value != plain for value in getattr(given, name, ())):
            found.add(name)
    pads = given.padding if isinstance(given.padding, tuple) else ()
    if any(pad != (0, 0) for pad in pads):
        found.add("padding")
    if any(lo != hi for lo, hi in pads):
        found.add("asymmetric padding")
    if any(min(pad) < 0 for pad in pads):
        found.add("cropping")
    if layer.rank > 1:
        found.add(f"{layer.rank} axes")
    for name, default in (
        ("groups", 1), ("bias", False), ("ceil_mode", False), ("count_include_pad", True),
        ("divisor_override", None), ("padding_mode", "zeros"),
    ):  # fmt: skip
        if getattr(given, name, default) != default:
            found.add(name)
    if getattr(given, "in_channels", 1) > getattr(given, "groups", 1):
        found.add("input channels")
    return frozenset(found)
