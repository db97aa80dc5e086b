"""Steps in words: what the current cell reads or writes, and the sum that results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from symconv.drawing.numbers import Numbers, added, shown
from symconv.drawing.readings import Reading
from symconv.drawing.scene import Place, Step

__all__ = ["Words", "listed"]

#: Cells that are named one by one, and products that are written out.
MAX_NAMED, MAX_TERMS = 6, 12


def listed(parts: Sequence[str]) -> str:
    """``a, b and c``."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


@dataclass(frozen=True)
class Words:
    """Captions of the steps of one picture; ``kind_of`` tells what lies at a place."""

    reading: Reading
    numbers: Numbers
    kind_of: Callable[[Place], str]

    def caption(self, step: Step) -> str:
        """What a step does, and the sum that results where numbers are known.

        It names up to `MAX_NAMED` cells and counts more.
        """
        text = self._said(step)
        if step.direction == "forward":
            return text + self._sum(step)
        return text + self._sent(step)

    def name(self, index: Place) -> str:
        """An index as people write it, its channel in words."""
        channel = ""
        if self.reading.has_channels:
            channel, index = f" of channel {index[0]}", index[1:]
        return (str(index[0]) if len(index) == 1 else str(index)) + channel

    def _said(self, step: Step) -> str:
        forward = step.direction == "forward"
        subject, noun = ("output", "input") if forward else ("input", "output")
        met = sorted({index for _, index, _ in step.touches if index is not None})
        head = f"{subject} {self.name(step.current)}"
        if not met:
            text = f"{head} reads nothing" if forward else f"{head} writes to no output"
        else:
            verb = "reads" if forward else "writes to"
            text = f"{head} {verb} {self._named(met, noun)}"
        return "; ".join([text, *self._beside(step)])

    def _named(self, met: list[Place], noun: str) -> str:
        """Cells by their indices, or counted where they are many."""
        of = ""
        cells = met
        if self.reading.has_channels:
            channels = sorted({index[0] for index in met})
            cells = sorted({index[1:] for index in met})
            many = "channel" if len(channels) == 1 else "channels"
            run = len(channels) > MAX_NAMED
            which = f"{channels[0]} to {channels[-1]}" if run else listed(list(map(str, channels)))
            of = f" of {many} {which}"
        names = [str(index[0]) if len(index) == 1 else str(index) for index in cells]
        many = noun if len(cells) == 1 else f"{noun}s"
        if len(cells) <= MAX_NAMED:
            return f"{many} {listed(names)}{of}"
        return f"{len(cells)} {many}, {names[0]} to {names[-1]},{of}".rstrip(",")

    def _beside(self, step: Step) -> list[str]:
        """What is particular about some taps."""
        notes = []
        if not self.reading.steps_windows(step.direction):
            pairs = sum(1 for _ in step.touches) - len({index for _, index, _ in step.touches})
            return [f"{_taps(pairs)} more on the same"] if pairs else []
        where: dict[str, list[Place]] = {}
        for place, index, tap in step.touches:
            kind = self.kind_of(place)
            if index is None or kind == "repeat":
                where.setdefault(kind, []).append(tap)
        for kind, taps in where.items():
            notes.append(self._beyond(kind, taps, step.direction))
        return notes

    def _beyond(self, kind: str, taps: list[Place], direction: str) -> str:
        spatial = [self.numbers.spatial(tap) for tap in taps]
        if len(taps) == 1 and not self.reading.has_channels:
            only = spatial[0]
            subject, verb = f"tap {only[0] if len(only) == 1 else only}", "lies"
        else:
            subject, verb = _taps(len(taps)), "lie" if len(taps) > 1 else "lies"
        if kind == "repeat":
            mode = self.reading.boundary.mode
            return f"{subject} {verb} on padding that repeats samples ({mode})"
        if direction == "transposed":
            return f"{subject} {'are' if len(taps) > 1 else 'is'} cut off"
        spot = {
            "padding": "padding",
            "inserted": "inserted zeros" if len(taps) > 1 else "an inserted zero",
            "overhang": "the overhang of ceil mode",
            "nowhere": "places past a crop" if len(taps) > 1 else "a place past a crop",
            "cropped": "samples that are cropped" if len(taps) > 1 else "a cropped sample",
        }[kind]
        return f"{subject} {verb} on {spot}"

    def _terms(self, step: Step) -> list[tuple[str, str]]:
        """(weight, value) of what is summed, as text, constant padding too."""
        window_step = self.reading.steps_windows(step.direction)
        constant = self.reading.boundary.value if self.reading.boundary.mode == "constant" else None
        found = []
        for place, index, tap in step.touches:
            window = step.current if window_step else place
            if index is not None:
                x = self.numbers.value(index)
            elif constant is not None and self.kind_of(place) == "padding":
                x = constant
            else:
                continue
            found.append((self.numbers.tap(window, tap), shown(x)))
        return found

    def _sum(self, step: Step) -> str:
        numbers = self.numbers
        if numbers.x is None:
            return ""
        terms, operation = self._terms(step), numbers.operation
        y = numbers.result(step.current)
        result = "" if y is None else f" = {shown(y)}"
        if operation in ("norm", "morphology"):
            return f":{result.replace(' =', '')}"
        if operation == "max":
            return f": max({_cut([value for _, value in terms], ', ')}){result}"
        if not terms:
            return result and f":{result.replace(' =', '')}"
        divisor = numbers.divides and not self.reading.steps_windows("forward")
        if divisor or (numbers.divides and self.reading.flipped):
            # Each term is divided by another count.
            return result and f":{result.replace(' =', '')}"
        products = [f"{_factor(w)}·{_factor(x)}" for w, x in terms]
        if not numbers.has_weights:
            products = [_factor(x) for _, x in terms]
        total = _cut(products, " + ")
        if numbers.divides:
            total = f"({total})/{numbers.divisor(step.current)}"
        if numbers.bias is not None and numbers.has_bias:
            total += f" + {_factor(shown(numbers.bias_of(step.current)))}"
        return f": {total}{result}"

    def _sent(self, step: Step) -> str:
        """What an input adds to each output."""
        numbers, x = self.numbers, self.numbers.value(step.current)
        if x is None:
            return ""
        totals: dict[Place, Any] = {}
        for window, sample, tap in sent_along(self.reading, step):
            value = numbers.sent(x, window, sample, tap)
            if value is None:
                return f"; its value is {shown(x)}"
            output = window if self.reading.samples_are_input else sample
            totals[output] = added(totals.get(output, 0), value)
        if not totals or len(totals) > MAX_NAMED:
            return f"; its value is {shown(x)}"
        return "; adds " + listed([f"{shown(v)} to {self.name(o)}" for o, v in totals.items()])


def sent_along(reading: Reading, step: Step) -> list[tuple[Place, Place, Place]]:
    """(window, stored number, tap) of every triple of a step."""
    if reading.steps_windows(step.direction):
        return [(step.current, i, tap) for _, i, tap in step.touches if i is not None]
    return [(o, step.current, tap) for o, _, tap in step.touches]


def _taps(n: int) -> str:
    return "1 tap" if n == 1 else f"{n} taps"


def _factor(text: str) -> str:
    """A number that stands in a product or a sum: negative ones and sums in brackets."""
    return f"({text})" if set(text) & set("−+ ") else text


def _cut(parts: list[str], between: str) -> str:
    if len(parts) <= MAX_TERMS:
        return between.join(parts)
    return between.join([*parts[:MAX_TERMS], "…"]) + f" ({len(parts)} terms)"
