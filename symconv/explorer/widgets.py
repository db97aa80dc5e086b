"""The live explorer: sliders of ipywidgets around what `symconv.explorer.state` says.

Nothing is decided here. A control tells the explorer its new value; the explorer answers with what
to show.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from symconv.drawing.themes import THEMES
from symconv.errors import MissingExtraError
from symconv.explorer.controls import BY_NUMBERS, CONTROLS, Control
from symconv.explorer.page import asset
from symconv.explorer.settings import MAX_RANK, Settings
from symconv.explorer.state import Refusal, View
from symconv.explorer.texts import facts_html, figure_html, formula_html
from symconv.proving.report_text import plain

__all__ = ["Panel"]


def _library() -> Any:
    try:
        return import_module("ipywidgets")
    except ImportError:
        raise MissingExtraError(
            "the live explorer needs ipywidgets, which is not installed: "
            'pip install "symconv[explore]"; export(path) needs nothing'
        ) from None


class Panel:
    """The widgets of one explorer.

    Parameters
    ----------
    change : callable
        Called with a setting's name and its new value.
    recolour : callable
        Called with a theme.

    Attributes
    ----------
    widget : ipywidgets.Widget
        What a notebook shows.
    """

    def __init__(self, change: Callable[[str, Any], None], recolour: Callable[[str], None]) -> None:
        self._library = _library()
        self._change = change
        self._is_following = False
        self._settings = Settings()
        self._inputs: dict[tuple[str, int], Any] = {}
        self.alike = self._library.Checkbox(
            value=True, description="all axes alike", indent=False, layout={"width": "auto"}
        )
        self.alike.observe(self._on_alike, "value")
        self.theme = self._dropdown("colours", [(name, name) for name in THEMES])
        self.theme.observe(lambda event: recolour(event["new"]), "value")
        self.step = self._slider("step", 0, 0)
        self._watch(self.step, lambda: "step")
        self.play = self._library.Play(
            min=0, max=0, interval=700, show_repeat=False, layout={"width": "auto"}
        )
        self._library.jslink((self.play, "value"), (self.step, "value"))
        places = (self._library.HTML() for _ in range(5))
        self.message, self.head, self.steps, self.facts, self.others = places
        self.shown = self._box(
            [
                self.head,
                self._library.VBox([self.steps, self._library.HBox([self.play, self.step])]),
                self.facts,
                self.others,
            ]
        )
        self.widget = self._assembled()

    def _box(self, children: list[Any], *classes: str) -> Any:
        box = self._library.VBox(children)
        for name in classes:
            box.add_class(name)
        return box

    def _slider(self, label: str, low: int, high: int) -> Any:
        return self._library.IntSlider(
            description=label,
            min=low,
            max=high,
            value=low,
            style={"description_width": "8.5rem"},
            layout={"width": "19rem"},
        )

    def _dropdown(self, label: str, options: list[tuple[str, Any]]) -> Any:
        return self._library.Dropdown(
            description=label,
            options=options,
            style={"description_width": "8.5rem"},
            layout={"width": "19rem"},
        )

    def _assembled(self) -> Any:
        """The controls in groups beside what is shown."""
        groups: dict[str, list[Any]] = {}
        for control in CONTROLS:
            axes = range(MAX_RANK) if control.per_axis else (0,)
            for axis in axes:
                made = self._made(control)
                self._inputs[control.name, axis] = made
                self._watch(made, partial(self._name, control, axis))
                groups.setdefault(control.group, []).append(made)
        groups["layer"].append(self.alike)
        groups["shown"].append(self.theme)
        columns = [
            self._box([self._library.HTML(f"<h4>{plain(name)}</h4>"), *made])
            for name, made in groups.items()
        ]
        style = self._library.HTML(f"<style>{asset('widget.css')}</style>")
        right = self._box([self.message, self.shown], "symconv-right")
        body = self._library.HBox([self._box(columns, "symconv-controls"), right])
        return self._box([style, body], "symconv-explorer")

    def _made(self, control: Control) -> Any:
        if control.options:
            said = [(str(option).replace("_", " "), option) for option in control.options]
            return self._dropdown(control.label, said)
        return self._slider(control.label, control.low, control.high)

    def _name(self, control: Control, axis: int) -> str:
        """The setting that an input changes: of one axis, or of all alike."""
        is_one_axis = control.per_axis and not self.alike.value
        return f"{control.name}_{axis}" if is_one_axis else control.name

    def _watch(self, made: Any, name: Callable[[], str]) -> None:
        def on_change(event: Any) -> None:
            if self._is_following:
                return
            value = event["new"]
            self._change(name(), self._settings.pairs if value == BY_NUMBERS else value)

        made.observe(on_change, "value")

    def _on_alike(self, event: Any) -> None:
        """Take the first axis for all, or show every axis."""
        if self._is_following:
            return
        if event["new"]:
            for control in CONTROLS:
                if control.per_axis and control.applies(self._settings):
                    self._change(control.name, control.value(self._settings))
        self._follow(self._settings)

    def follow(self, settings: Settings, theme: str) -> None:
        """Set the controls to the settings; they change nothing by that."""
        self._settings = settings
        axes = range(1, settings.rank)
        differ = any(
            control.value(settings, axis) != control.value(settings)
            for control in CONTROLS
            if control.per_axis
            for axis in axes
        )
        self._is_following = True
        try:
            if differ:
                self.alike.value = False
            self.theme.value = theme
            self._follow(settings)
        finally:
            self._is_following = False

    def _follow(self, settings: Settings) -> None:
        self.alike.layout.display = "" if settings.rank > 1 else "none"
        alike = self.alike.value
        for (name, axis), made in self._inputs.items():
            control = TABLE[name]
            is_there = axis < settings.rank and not (axis and alike)
            is_shown = is_there and control.applies(settings)
            made.layout.display = "" if is_shown else "none"
            if axis >= settings.rank:
                continue
            if control.per_axis:
                named = settings.rank > 1 and not alike
                made.description = f"{control.label}, axis {axis}" if named else control.label
            _set(made, control.value(settings, axis))

    def show(self, outcome: View | Refusal) -> None:
        """What is seen at these settings; after a bad one the last good picture, greyed out."""
        if isinstance(outcome, Refusal):
            words = plain(outcome.reason)
            self.message.value = f'<p class="symconv-message" role="alert">{words}</p>'
            self.shown.add_class("symconv-stale")
            self.step.disabled = True
            return
        self.message.value = ""
        self.shown.remove_class("symconv-stale")
        self._is_following = True
        try:
            self.step.disabled = False
            self.step.max = self.play.max = outcome.n_steps - 1
            self.step.value = outcome.step
        finally:
            self._is_following = False
        self.head.value = head_html(outcome)
        self.facts.value = facts_html(outcome.facts)
        self.steps.value = figure_html(outcome.steps)
        figures = "".join(map(figure_html, outcome.others))
        self.others.value = f'<div class="symconv-others">{figures}</div>'


#: Name → control.
TABLE = {control.name: control for control in CONTROLS}


def head_html(view: View) -> str:
    """Layer and formula."""
    formula = formula_html(view.formula)
    return f'<p><code>{plain(view.layer)}</code></p><div class="wide">{formula}</div>'


def _set(made: Any, value: Any) -> None:
    """Set an input; a slider that ends before the value is made longer, a list gets it."""
    if hasattr(made, "options"):
        if value not in [option for _, option in made.options]:
            made.options = (*made.options, (str(value), value))
    elif not isinstance(value, int):
        return
    else:
        made.min, made.max = min(made.min, value), max(made.max, value)
    made.value = value
