"""`explore`: a layer with sliders for every parameter, in a notebook or on a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from symconv import checks
from symconv.drawing.themes import THEMES
from symconv.errors import MissingExtraError
from symconv.explorer.export import page_html, write_page
from symconv.explorer.page import asset
from symconv.explorer.settings import KINDS, Settings
from symconv.explorer.state import Refusal, View, look
from symconv.explorer.texts import facts_html, figure_html
from symconv.explorer.widgets import Panel, head_html
from symconv.layers import Layer
from symconv.proving.report_text import plain

__all__ = ["Explorer", "explore", "explorer_page"]

#: Samples per axis where no size is given, by rank.
SIZES = {1: 9, 2: 5, 3: 3}


class Explorer:
    """A layer at one input size, parameters open to change. Made by `explore`.

    In a notebook it shows sliders (ipywidgets, the extra ``explore``); its pictures and numbers
    follow. Settings that no layer has are explained in place.

    Attributes
    ----------
    settings : Settings
        What is set.
    shown : View or Refusal
        The texts and pictures of these settings, or why there are none.

    Examples
    --------
    >>> from symconv.explorer import explore
    >>> explorer = explore()
    >>> explorer.set(stride=2, padding_lo=1)
    >>> dict(explorer.shown.facts)["output size"], explorer.layer
    ('2×2', Conv(1, 1, (3, 3), stride=(2, 2), padding=((1, 0), (1, 0)), bias=False))
    >>> explorer.set(groups=2)
    >>> explorer.shown.reason[:40]
    'groups must divide in_channels, got grou'
    """

    def __init__(self, settings: Settings, theme: str = "auto") -> None:
        self.theme = checks.choice("theme", theme, THEMES)
        self._panel: Panel | None = None
        self.settings = settings
        self.shown: View | Refusal = look(settings, self.theme)
        self._last = self.shown

    @property
    def layer(self) -> Layer:
        """The layer that is set.

        Raises
        ------
        SymconvError
            If the settings make none.
        """
        return self.settings.layer()

    def set(self, **changes: Any) -> None:
        """Change settings.

        Parameters
        ----------
        **changes
            Parameters of the layer by their names, input_size, "rank", "kind", one side of the
            padding ("padding_lo", "padding_hi"), one axis of a setting ("stride_1"), "step",
            "direction", "way", "depth".

        Raises
        ------
        ParameterError
            If there is no such setting. A bad value is explained by `shown` instead.
        """
        settings = self.settings
        for name, value in changes.items():
            settings = settings.changed(name, value)
        self.settings = settings
        self._look()

    def _look(self) -> None:
        self.shown = look(self.settings, self.theme)
        if isinstance(self.shown, View):
            self._last = self.shown
        if self._panel is not None:
            self._panel.follow(self.settings, self.theme)
            self._panel.show(self.shown)

    def _recolour(self, theme: str) -> None:
        if theme != self.theme:
            self.theme = theme
            self._look()

    @property
    def widget(self) -> Any:
        """The ipywidgets widget: what a notebook shows, to be put beside others.

        Raises
        ------
        MissingExtraError
            If ipywidgets is not installed (the extra ``explore``).
        """
        return self._live().widget

    def _live(self) -> Panel:
        """The panel, made when it is first asked for."""
        if self._panel is None:
            panel = Panel(lambda name, value: self.set(**{name: value}), self._recolour)
            panel.follow(self.settings, self.theme)
            if self._last is not self.shown:
                panel.show(self._last)
            panel.show(self.shown)
            self._panel = panel
        return self._panel

    def export(self, path: str | Path, **ranges: Any) -> Path:
        """Write a page with sliders that needs neither Python nor a network.

        Parameters
        ----------
        path : str or Path
            ``.html``; an old file is replaced by a whole new one or not at all.
        **ranges
            As for `explorer_page`.

        Returns
        -------
        Path

        Raises
        ------
        FileError
            If the file cannot be written.
        ParameterError, TooLargeError
            As for `explorer_page`.
        """
        return write_page(Path(path), self.settings, ranges)

    def __repr__(self) -> str:
        size = "×".join(map(str, self.settings.input_size))
        said = self.shown.layer if isinstance(self.shown, View) else self.shown.reason
        return f"<Explorer, input {size}: {said}>"

    def _repr_html_(self) -> str:
        """The present setting without sliders, where a notebook has no widgets."""
        if isinstance(self.shown, Refusal):
            body = f'<p class="symconv-message">{plain(self.shown.reason)}</p>'
        else:
            view = self.shown
            body = (
                head_html(view) + facts_html(view.facts) + "".join(map(figure_html, view.pictures))
            )
        style = f"<style>{asset('widget.css')}</style>"
        return f'<div class="symconv-explorer">{style}{body}</div>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """The widget, and the present setting as HTML for where there are none."""
        bundle: dict[str, Any] = {"text/plain": repr(self), "text/html": self._repr_html_()}
        try:
            widget = self.widget
        except MissingExtraError as error:
            note = f'<p class="symconv-message">{plain(error)}</p>'
            return {**bundle, "text/html": note + bundle["text/html"]}
        live: dict[str, Any] = widget._repr_mimebundle_()
        return {**live, **bundle}


def explore(
    layer: Layer | None = None, input_size: Sequence[int] | None = None, *, theme: str = "auto"
) -> Explorer:
    """Explore a layer: sliders for every parameter; formula, sizes, counts and pictures follow.

    Parameters
    ----------
    layer : Conv, ConvTranspose, AvgPool or MaxPool, optional
        Of one to three axes; a 3×3 convolution unless given.
    input_size : sequence of int, optional
        9, 5×5 or 3×3×3 samples unless given, more where no output would exist.
    theme : {"auto", "light", "dark"}
        Colours of the pictures.

    Returns
    -------
    Explorer

    Raises
    ------
    ParameterTypeError
        If the layer is of another kind.
    ParameterError
        If it has more than three axes, or the theme is unknown.

    Examples
    --------
    >>> import symconv as sc
    >>> from symconv.explorer import explore
    >>> explore(sc.MaxPool2d(2), (4, 4))
    <Explorer, input 4×4: MaxPool((2, 2), stride=(2, 2))>

    References
    ----------
    V. Dumoulin, F. Visin, *A guide to convolution arithmetic for deep learning* (2016),
    arXiv:1603.07285: the figures that the pictures follow.
    """
    return Explorer(_settings(layer, input_size), theme)


def explorer_page(
    layer: Layer | None = None, input_size: Sequence[int] | None = None, **ranges: Any
) -> str:
    """A page with sliders over a box of settings, as HTML text.

    Every setting is computed beforehand, bad ones with the words that refuse them. The page needs
    neither Python nor a network.

    Parameters
    ----------
    layer, input_size : as for `explore`
    **ranges
        Setting → its values: ``stride=(1, 2, 3)``, ``padding_lo=range(3)``, ``stride_1=(1, 2)``,
        ``padding_mode=("zeros", "circular")``, ``input_size=range(3, 8)``, ``way=("scatter",
        "zero_insertion")``. Usual ones for the kind of layer where none is given.

    Returns
    -------
    str

    Raises
    ------
    ParameterError, ParameterTypeError
        If a range names no setting, has no values, or has one twice.
    TooLargeError
        If there are more than 4000 settings or too much to draw; before anything is drawn.

    Examples
    --------
    >>> import symconv as sc
    >>> from symconv.explorer import explorer_page
    >>> explorer_page(sc.Conv1d(1, 1, 2), (4,), stride=(1, 2)).startswith("<!doctype html>")
    True
    """
    return page_html(_settings(layer, input_size), ranges)


def _settings(layer: Any, input_size: Sequence[int] | None) -> Settings:
    """The settings of a layer, or of the usual one; what is no layer is refused by its type."""
    if layer is None:
        if input_size is None:
            return Settings()
        size = checks.sequence("input_size", input_size)
        return Settings().changed("rank", len(size)).changed("input_size", size)
    if input_size is None and type(layer) in KINDS.values() and layer.rank in SIZES:
        input_size = tuple(_roomy(layer, axis) for axis in range(layer.rank))
    return Settings.of(layer, () if input_size is None else input_size)


def _roomy(layer: Layer, axis: int) -> int:
    """A size of one axis at which there is an output, and a little to see."""
    sizes = layer.input_sizes((2,) * layer.rank)[axis]
    # Of a symbolic layer there is only a formula; that no size fits is said where it is shown.
    listed = sizes[:1] if isinstance(sizes, tuple) else ()
    return max((SIZES[layer.rank], *map(int, listed)))
