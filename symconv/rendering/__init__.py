"""Matrices and formulas as LaTeX, text and pictures, for notebooks and terminals.

Everything here takes plain arrays, SymPy matrices, patterns and axis relations. A large matrix is
never written out: its text shows the corners, its picture counts the entries in at most about
200×200 bins.
"""

from symconv.rendering.axis import axis_svg as axis_svg
from symconv.rendering.bars import bars_svg as bars_svg
from symconv.rendering.bins import (
    MAX_CELLS as MAX_CELLS,
    bin_entries as bin_entries,
    bin_pattern as bin_pattern,
)
from symconv.rendering.counted import counts_png as counts_png, counts_svg as counts_svg
from symconv.rendering.factors import factors_png as factors_png, factors_svg as factors_svg
from symconv.rendering.formulas import relation_latex as relation_latex
from symconv.rendering.pyramid import field_svg as field_svg
from symconv.rendering.spy import (
    MAX_DRAWN as MAX_DRAWN,
    density_png as density_png,
    density_svg as density_svg,
    spy_png as spy_png,
    spy_svg as spy_svg,
)
from symconv.rendering.text import (
    MAX_WRITTEN as MAX_WRITTEN,
    html_summary as html_summary,
    matrix_latex as matrix_latex,
    matrix_text as matrix_text,
)
