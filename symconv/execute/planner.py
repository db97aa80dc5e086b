"""Which plan runs: the fastest by its cost model of those that can, within a memory budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symconv.errors import ParameterError
from symconv.execute.fourier import Fourier
from symconv.execute.implicit import ImplicitGemm
from symconv.execute.patches import Patches
from symconv.execute.plan import Plan
from symconv.execute.pointwise import Pointwise
from symconv.execute.speeds import loading
from symconv.execute.taps import Taps
from symconv.execute.winograd import Winograd, Winograd4
from symconv.incidence import Incidence
from symconv.memory import available, readable, require

__all__ = ["PLANS", "Choice", "Offer", "Planner"]

#: Every plan that follows from the geometry alone; the first of equals is taken.
PLANS: tuple[type[Plan], ...] = (
    Pointwise,
    ImplicitGemm,
    Patches,
    Taps,
    Winograd,
    Winograd4,
    Fourier,
)


@dataclass(frozen=True)
class Offer:
    """What one plan would cost.

    Attributes
    ----------
    name, theorem : str
    seconds : float
        By the cost model; infinite where the plan cannot run.
    working_bytes : int
        Memory next to input and output.
    refusal : str
        Why the plan cannot run; empty where it can.
    on_request : str
        Why "auto" does not take it; empty where it may.
    """

    name: str
    theorem: str
    seconds: float
    working_bytes: int
    refusal: str
    on_request: str = ""


@dataclass(frozen=True)
class Choice:
    """The plan that was chosen, and all offers.

    Examples
    --------
    >>> import symconv as sc
    >>> choice = sc.Conv2d(4, 4, 1, bias=False).operator((64, 64)).explain()
    >>> choice.name
    'pointwise'
    >>> print(choice.reason)
    the least estimated time of the plans that can run
    """

    plan: Plan
    offers: tuple[Offer, ...]
    reason: str
    batch: int
    threads: int

    @property
    def name(self) -> str:
        """The plan's name."""
        return self.plan.name

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.reason} ({self.plan.dtype}, batch {self.batch}, "
                 f"{self.threads} thread{'s' * (self.threads != 1)})"]  # fmt: skip
        for offer in sorted(self.offers, key=lambda offer: offer.seconds):
            said = offer.refusal or (
                f"{1000 * offer.seconds:8.2f} ms  {readable(offer.working_bytes):>10}  "
                f"theorem {offer.theorem}"
            )
            if offer.on_request and not offer.refusal:
                said += f"; only on request: {offer.on_request}"
            lines.append(f"  {offer.name:<10} {said}")
        return "\n".join(lines)


class Planner:
    """The plans of one geometry, each prepared once for a direction and a type of numbers."""

    def __init__(self, incidence: Incidence, plans: Sequence[type[Plan]] = PLANS) -> None:
        self.incidence, self.plans = incidence, tuple(plans)
        self._ready: dict[tuple[str, bool, np.dtype[Any]], Plan] = {}
        self._choices: dict[tuple[Any, ...], Choice] = {}

    def _plan(self, kind: type[Plan], transposed: bool, dtype: np.dtype[Any]) -> Plan:
        key = kind.name, transposed, dtype
        if key not in self._ready:
            self._ready[key] = kind(self.incidence, transposed, dtype)
        return self._ready[key]

    def offers(
        self,
        transposed: bool,
        dtype: np.dtype[Any],
        batch: int,
        threads: int,
        is_packed: bool = False,
    ) -> tuple[Offer, ...]:
        """What each plan would cost; packing counts unless the weights are kept packed."""
        offers = []
        for kind in self.plans:
            refusal = kind.refusal(self.incidence, transposed, dtype)
            seconds, held = float("inf"), 0
            if not refusal:
                plan = self._plan(kind, transposed, dtype)
                seconds, held = plan.seconds(batch, threads), plan.working_bytes(batch, threads)
                seconds += 0.0 if is_packed else plan.packing_seconds(threads)
            offers.append(Offer(kind.name, kind.theorem, seconds, held, refusal, kind.on_request))
        return tuple(offers)

    def choose(
        self,
        transposed: bool,
        dtype: np.dtype[Any],
        batch: int,
        threads: int,
        forced: str = "auto",
        budget: int | None = None,
        exact: bool = False,
        is_packed: bool = False,
    ) -> Choice:
        """The plan to run: the one that is `forced`, or the fastest within `budget` bytes.

        With `exact`, only plans that keep integers exact wherever their sums are. With
        `is_packed`, packing costs nothing, as the weights stay packed between calls.

        Raises
        ------
        ParameterError
            If the forced plan cannot run.
        TooLargeError
            If no plan keeps within the budget.
        """
        key = transposed, dtype, batch, threads, forced, budget, exact, is_packed, loading()
        if key not in self._choices:
            offers = self.offers(transposed, dtype, batch, threads, is_packed)
            if exact:
                keep = {kind.name for kind in self.plans if kind.is_exact}
                offers = tuple(offer for offer in offers if offer.name in keep)
            name, reason = _chosen(offers, forced, budget)
            kind = next(kind for kind in self.plans if kind.name == name)
            plan = self._plan(kind, transposed, dtype)
            self._choices[key] = Choice(plan, offers, reason, batch, threads)
        return self._choices[key]


def _chosen(offers: Sequence[Offer], forced: str, budget: int | None) -> tuple[str, str]:
    """The name of the plan, and why."""
    if forced != "auto":
        offer = next(offer for offer in offers if offer.name == forced)
        if offer.refusal:
            raise ParameterError(f"plan {forced!r} must be able to run here: {offer.refusal}")
        require(offer.working_bytes, f"plan {forced!r}", 'use plan="auto"', budget)
        return forced, "asked for"
    able = sorted(
        (offer for offer in offers if not (offer.refusal or offer.on_request)),
        key=lambda offer: offer.seconds,
    )
    limit = available() if budget is None else budget
    within = [offer for offer in able if offer.working_bytes <= limit]
    if not within:
        least = min(able, key=lambda offer: offer.working_bytes)
        require(
            least.working_bytes, "every plan", "allow more memory or use a smaller batch", limit
        )
    if within[0] is able[0]:
        return within[0].name, "the least estimated time of the plans that can run"
    return within[0].name, f"the least estimated time within {readable(limit)}"
