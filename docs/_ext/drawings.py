"""The directive ``drawn``: a figure of `docs/gallery.py`, light and dark, with its stepper."""

from __future__ import annotations

from docutils import nodes
from docutils.parsers.rst import directives
from gallery import FIGURES, Figure, explorers
from generated import write_files, write_folder
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from symconv.drawing import Drawing

MADE: dict[str, Drawing] = {}


def drawing(name: str) -> Drawing:
    """A figure's drawing, made once."""
    if name not in MADE:
        MADE[name] = FIGURES[name].make()
    return MADE[name]


def write_gallery(app: Sphinx) -> None:
    """Write all stills and steppers, and the pages with sliders."""
    stills, steppers = {}, {}
    for name, figure in FIGURES.items():
        for theme in ("light", "dark"):
            stills[f"{name}-{theme}.svg"] = drawing(name).svg(figure.frame, theme=theme)
        if drawing(name).n_frames > 1:
            steppers[f"gallery-{name}.html"] = drawing(name).html()
    write_folder("gallery", stills)
    write_files(steppers | explorers())


class Drawn(SphinxDirective):
    """One figure."""

    required_arguments = 1
    option_spec = {"plain": directives.flag}  # noqa: RUF012 - docutils' way

    def run(self) -> list[nodes.Node]:
        """The figure with its caption, unless it stands alone."""
        found = FIGURES[self.arguments[0]]
        drawn = drawing(found.name)
        alt = drawn.alt
        if drawn.n_frames > 1:
            alt = f"{alt}. {drawn.caption(found.frame)}"
        made = nodes.figure("", classes=["drawn"], ids=[f"figure-{found.name}"])
        for theme in ("light", "dark"):
            # From the folder of the page that it stands on, as everything else in Sphinx.
            uri = f"/generated/gallery/{found.name}-{theme}.svg"
            image = nodes.image("", uri=uri, alt=alt, classes=[f"only-{theme}"])
            made += image
        if "plain" not in self.options:
            made += nodes.caption("", "", *self.caption(found))
            made += nodes.legend("", *self.legend(found))
        return [made]

    def caption(self, found: Figure) -> list[nodes.Node]:
        """The guide's number and what is shown."""
        text: list[nodes.Node] = [nodes.Text(found.caption)]
        if found.number:
            text[:0] = [nodes.strong(text=f"Figure {found.number}"), nodes.Text(". ")]
        return text

    def legend(self, found: Figure) -> list[nodes.Node]:
        """The call that draws it, and the way to its other frames."""
        parts: list[nodes.Node] = [nodes.literal_block(found.call, found.call, language="python")]
        drawn = drawing(found.name)
        if drawn.n_frames > 1:
            up = "../" * self.env.docname.count("/")
            link = nodes.reference(
                "",
                f"Step through its {drawn.n_frames} frames",
                refuri=f"{up}gallery-{found.name}.html",
                internal=True,
            )
            parts.append(nodes.paragraph("", "", link))
        return parts


def setup(app: Sphinx) -> dict[str, bool]:
    """Draw before Sphinx looks for sources."""
    app.add_directive("drawn", Drawn)
    app.connect("builder-inited", write_gallery)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
