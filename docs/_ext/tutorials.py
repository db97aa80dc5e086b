"""The notebooks of `notebooks/` as pages, with the outputs that they are kept with."""

from __future__ import annotations

from generated import DOCS, write_folder
from sphinx.application import Sphinx

NOTEBOOKS = DOCS.parent / "notebooks"


def copy_notebooks(app: Sphinx) -> None:
    """Copy them below the site's sources, where Sphinx finds them."""
    files = {path.name: path.read_bytes() for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))}
    names = "\n".join(name.removesuffix(".ipynb") for name in files)
    # Their own index, which they link back to.
    text = (NOTEBOOKS / "README.md").read_text(encoding="utf-8")
    toctree = f"\n```{{toctree}}\n:hidden:\n:titlesonly:\n\n{names}\n```\n"
    write_folder("tutorials", {**files, "README.md": text + toctree})


def setup(app: Sphinx) -> dict[str, bool]:
    """Copy before Sphinx looks for sources."""
    app.connect("builder-inited", copy_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
