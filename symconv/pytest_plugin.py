"""A pytest plugin: the marker ``symconv`` sweeps geometries, each a test of its own.

Loaded by its entry point, or by ``pytest_plugins = ["symconv.pytest_plugin"]``. A marked test takes
the fixtures ``symconv_layer`` and ``symconv_size``::

    @pytest.mark.symconv(kind="Conv", ranks=(2,), count=50)
    def test_mine(symconv_layer, symconv_size):
        assert_implements(mine, symconv_layer, symconv_size)

The geometries are the same in every run: every parameter differs from axis to axis.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symconv.layers import Layer

__all__ = ["geometries"]

#: The layers that are swept, with what they are made of before the window's parameters.
KINDS = ("Conv", "ConvTranspose", "AvgPool", "MaxPool")

#: Geometries of one sweep at most.
MAX_COUNT = 10**5


def geometries(
    kind: str = "Conv", ranks: Sequence[int] = (1, 2), count: int = 20, seed: int = 0
) -> Iterator[tuple[Layer, tuple[int, ...]]]:
    """Small geometries of one kind of layer, the parameters of each axis chosen by themselves.

    Parameters
    ----------
    kind : {"Conv", "ConvTranspose", "AvgPool", "MaxPool"}
    ranks : sequence of int
        Numbers of spatial axes, taken in turn.
    count : int
        How many geometries.
    seed : int
        Another seed gives other geometries, the same one always the same.

    Examples
    --------
    >>> [layer.rank for layer, _ in geometries("MaxPool", ranks=(1, 2), count=4)]
    [1, 2, 1, 2]
    """
    # A plugin is imported by every run of pytest: what is heavy waits until a test is marked.
    import numpy as np  # noqa: PLC0415

    from symconv import layers  # noqa: PLC0415
    from symconv.checks import choice, concrete, integer, sequence  # noqa: PLC0415
    from symconv.verifying.naming import neighbours  # noqa: PLC0415

    choice("kind", kind, KINDS)
    rng = np.random.default_rng(integer("seed", seed, 0))
    axes = [concrete("ranks", integer("ranks", rank, 1)) for rank in sequence("ranks", ranks)]
    count = concrete("count", integer("count", count, 0))
    for number in range(min(count, MAX_COUNT)):
        rank = axes[number % len(axes)]
        make: Any = getattr(layers, kind)
        # Parameters that are not plain are varied (see `neighbours`).
        window = {"stride": 2, "dilation": 2, "padding": ((1, 0),) * rank}
        kernel = (2,) * rank
        if kind.endswith("Pool"):
            seed_layer = make(kernel, **window)
        else:
            window |= {"output_padding": 1} if kind == "ConvTranspose" else {}
            groups = 1 + number % 2
            seed_layer = make(2, 2, kernel, groups=groups, bias=bool(number % 3), **window)
        yield from (place for place, _ in zip(neighbours(seed_layer, (), rng), (0,), strict=False))


def pytest_configure(config: Any) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers",
        "symconv(kind, ranks, count, seed): run for many geometries, as the fixtures "
        "symconv_layer and symconv_size",
    )


def pytest_generate_tests(metafunc: Any) -> None:
    """One test per geometry of the marker."""
    marker = metafunc.definition.get_closest_marker("symconv")
    if marker is None:
        return
    from symconv.errors import ParameterTypeError  # noqa: PLC0415

    names = {"symconv_layer", "symconv_size"}
    if not names <= set(metafunc.fixturenames):
        raise ParameterTypeError(
            f"a test marked symconv must take the fixtures {', '.join(sorted(names))}, got "
            f"{', '.join(metafunc.fixturenames)}"
        )
    places = list(geometries(*marker.args, **marker.kwargs))
    labels = [f"{layer!r} on {size}" for layer, size in places]
    metafunc.parametrize(("symconv_layer", "symconv_size"), places, ids=labels)
