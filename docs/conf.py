"""The site's settings: `sphinx-build -W --keep-going -n -b html docs docs/_build/html`.

What is derived from the code (the reference, the ledger, the gallery's figures, the notebooks'
copies) is written to `docs/generated` by the extensions in `docs/_ext` before Sphinx reads.
"""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS), str(DOCS / "_ext"), str(DOCS.parent)]

from symconv import __version__  # noqa: E402 - found by the line above where not installed

project = "symconv"
author = "the symconv contributors"
copyright = author  # noqa: A001 - Sphinx names it so
release = version = __version__
html_title = f"symconv {release}"

extensions = [
    "sphinx.ext.autodoc",
    "numpydoc",
    "myst_nb",
    "sphinx_design",
    "sphinx_copybutton",
    "mathml",
    "reference",
    "theorems",
    "tutorials",
    "drawings",
]
exclude_patterns = ["_build", "_ext", "**.ipynb_checkpoints"]
nitpicky = True
root_doc = "index"
default_role = "py:obj"

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
# Notebooks are shown with the outputs that they are kept with; tests/test_notebooks.py runs them.
nb_execution_mode = "off"
nb_merge_streams = True
# Changelog and findings are also read where there is no site; their headings start at two.
suppress_warnings = ["myst.header"]

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say the types in words
autodoc_inherit_docstrings = True
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "furo"
html_static_path = ["_static"]
# The ledger's own page and the gallery's steppers: documents by themselves.
html_extra_path = ["generated/files"]
(DOCS / "generated" / "files").mkdir(parents=True, exist_ok=True)
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"top_of_page_buttons": []}

# `sphinx-build -b linkcheck docs docs/_build/links` asks the network; the tests do not.
linkcheck_timeout = 20
linkcheck_retries = 2
linkcheck_anchors_ignore_for_url = [r"https://github\.com/.*"]
