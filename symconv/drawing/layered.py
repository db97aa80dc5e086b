"""Graphs in layers: a rank for each node, lanes for long edges, few crossings.

References
----------
K. Sugiyama, S. Tagawa, M. Toda, *Methods for visual understanding of hierarchical system
structures*, IEEE Transactions on Systems, Man, and Cybernetics 11 (1981).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Layers", "Spot", "layers_of"]

#: Times that the order in each rank is improved, down and up again.
SWEEPS = 4


@dataclass(frozen=True)
class Spot:
    """What takes a place in a rank: a node, or an edge that passes (its source and target)."""

    source: str
    target: str | None = None

    @property
    def is_node(self) -> bool:
        """Whether it is a node."""
        return self.target is None


@dataclass(frozen=True)
class Layers:
    """A graph in layers.

    Attributes
    ----------
    ranks : tuple of tuple of Spot
        From the inputs on, each from left to right.
    edges : tuple of tuple of Spot
        Each edge from its source through the ranks that it passes to its target.
    """

    ranks: tuple[tuple[Spot, ...], ...]
    edges: tuple[tuple[Spot, ...], ...]


def layers_of(inputs: Mapping[str, Sequence[str]]) -> Layers:
    """Nodes in ranks below all that they read, and edges through every rank between.

    Parameters
    ----------
    inputs : mapping of str to sequence of str
        Node → the nodes that it reads, those first.

    Examples
    --------
    >>> found = layers_of({"x": [], "conv": ["x"], "sum": ["conv", "x"]})
    >>> [[spot.source for spot in rank if spot.is_node] for rank in found.ranks]
    [['x'], ['conv'], ['sum']]
    >>> found.ranks[1]
    (Spot(source='conv', target=None), Spot(source='x', target='sum'))
    """
    rank_of: dict[str, int] = {}
    for node, sources in inputs.items():
        rank_of[node] = 1 + max((rank_of[source] for source in sources), default=-1)
    ranks: list[list[Spot]] = [[] for _ in range(1 + max(rank_of.values(), default=-1))]
    for node, rank in rank_of.items():
        ranks[rank].append(Spot(node))
    edges = []
    for node, sources in inputs.items():
        for source in dict.fromkeys(sources):
            passed = [Spot(source, node)] * (rank_of[node] - rank_of[source] - 1)
            for at, spot in enumerate(passed, rank_of[source] + 1):
                ranks[at].append(spot)
            edges.append((Spot(source), *passed, Spot(node)))
    return Layers(tuple(map(tuple, _ordered(ranks, edges))), tuple(edges))


def _ordered(ranks: list[list[Spot]], edges: Sequence[Sequence[Spot]]) -> list[list[Spot]]:
    """Each rank sorted by the mean place of its neighbours, to and fro."""
    above: list[dict[Spot, list[Spot]]] = [{} for _ in ranks]
    below: list[dict[Spot, list[Spot]]] = [{} for _ in ranks]
    at = {spot: number for number, rank in enumerate(ranks) for spot in rank if spot.is_node}
    for edge in edges:
        first = at[edge[0]]
        for number, (upper, lower) in enumerate(pairwise(edge), first):
            below[number].setdefault(upper, []).append(lower)
            above[number + 1].setdefault(lower, []).append(upper)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        order = range(1, len(ranks)) if down else range(len(ranks) - 2, -1, -1)
        for number in order:
            beside = ranks[number - 1] if down else ranks[number + 1]
            place = {spot: (where + 0.5) / len(beside) for where, spot in enumerate(beside)}
            near = (above if down else below)[number]
            own = {
                spot: (where + 0.5) / len(ranks[number]) for where, spot in enumerate(ranks[number])
            }

            def wanted(spot: Spot) -> tuple[float, bool, float]:
                others = [place[other] for other in near.get(spot, ())]  # noqa: B023 - used at once
                mean = sum(others) / len(others) if others else own[spot]  # noqa: B023
                # Among equals, what passes keeps to the right, out of the way of the nodes.
                return mean, not spot.is_node, own[spot]  # noqa: B023

            ranks[number].sort(key=wanted)
    return ranks
