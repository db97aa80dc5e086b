"""The notebooks run, claim by assertion, from the public names alone, and show what they print."""

from __future__ import annotations

import importlib.util
import json
import re

import pytest

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

import notebook_runs as runs  # noqa: E402
from nbclient.exceptions import CellExecutionError  # noqa: E402

COURSE = runs.notebooks()


def made(*sources, ids=None):
    """A notebook in memory: Markdown where a source starts with '#', code otherwise."""
    cells = []
    for number, source in enumerate(sources):
        new = nbformat.v4.new_markdown_cell if source[0] == "#" else nbformat.v4.new_code_cell
        cells.append(new(source, id=f"cell-{number}" if ids is None else ids[number]))
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata = nbformat.from_dict(runs.METADATA)
    count = 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
    return notebook


def sound():
    checks = "\n".join(f"assert {n} < 9" for n in range(8))
    return made(
        "# 1. A title\nwith a counterexample",
        checks,
        "## What to remember",
        "## Exercises",
        "1 + 1",
    )


def kept(folder, notebook, name="01-title.ipynb"):
    path = folder / name
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def ran():
    """A small notebook and its outputs, run once."""
    return runs.executed(
        made(
            "# 1. A title",
            "import os\nprint(os.listdir())\nprint('in 0.25 s')",
            "from IPython.display import SVG\nSVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')",
            "6 * 7",
        )
    )


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_a_notebook_keeps_the_rules(path):
    assert runs.problems(path) == []


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_it_keeps(path):
    notebook = runs.opened(path)
    wanted = {room.split(".")[0] for room in runs.imports(runs.code(notebook))}
    missing = sorted(room for room in wanted if importlib.util.find_spec(room) is None)
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    assert runs.stale(notebook, runs.executed(notebook)) == []


def test_the_course_is_numbered_and_indexed():
    assert COURSE
    assert [path.name[:2] for path in COURSE] == [f"{n:02}" for n in range(1, len(COURSE) + 1)]
    text = (runs.FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\S+\.ipynb)\)", text) == [path.name for path in COURSE]


def test_a_sound_notebook_has_no_problems(tmp_path):
    assert runs.problems(kept(tmp_path, sound())) == []


def change_title(notebook):
    notebook.cells[0].source = "# 2. Another with a counterexample"


def change_number(notebook):
    notebook.cells[-1].execution_count = 7


def change_count(notebook):
    notebook.cells[1].source = "assert True"


def change_ids(notebook):
    notebook.cells[1].id = "5F_a"


def change_double(notebook):
    notebook.cells[1].id = notebook.cells[0].id


def change_metadata(notebook):
    notebook.metadata["language_info"]["version"] = "3.11.7"


def change_times(notebook):
    notebook.cells[1].metadata["execution"] = {"iopub.execute_input": "2025-01-01T00:00:00Z"}


def change_heading(notebook):
    notebook.cells[3].source = "## Tasks"


def change_refutation(notebook):
    notebook.cells[0].source = "# 1. A title"


def change_link(notebook):
    notebook.cells[0].source += "\n[next](02-gone.ipynb)"


def change_error(notebook):
    output = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])
    notebook.cells[1].outputs = [output]


def change_stderr(notebook):
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", name="stderr", text="careful")]


def change_script(notebook):
    data = {"text/html": "<script>draw()</script>"}
    notebook.cells[1].outputs = [nbformat.v4.new_output("display_data", data=data)]


def change_size(notebook):
    text = "x" * runs.MOST_BYTES
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]


def change_import(notebook):
    notebook.cells[-1].source = "from symconv.geometry import Geometry"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (change_title, "no title"),
        (change_number, "not numbered from 1"),
        (change_count, "1 assertions, fewer than 8"),
        (change_ids, "not distinct words"),
        (change_double, "not distinct words"),
        (change_metadata, "metadata other than"),
        (change_times, "cell cell-1: has metadata"),
        (change_heading, "no heading 'Exercise'"),
        (change_refutation, "refutes nothing"),
        (change_link, "no file 02-gone.ipynb"),
        (change_error, "cell cell-1: failed: ValueError"),
        (change_stderr, "cell cell-1: wrote to stderr"),
        (change_script, "cell cell-1: an output needs JavaScript"),
        (change_size, "bytes, above 150000"),
        (change_import, "not public: symconv.geometry"),
    ],
)
def test_a_spoiled_notebook_is_rejected(tmp_path, change, said):
    notebook = sound()
    change(notebook)
    found = runs.problems(kept(tmp_path, notebook))
    assert len(found) == 1
    assert said in found[0]


def test_what_is_no_notebook_is_rejected(tmp_path):
    notebook = sound()
    del notebook.cells[1]["outputs"]
    with pytest.raises(nbformat.ValidationError, match="'outputs' is a required property"):
        runs.problems(kept(tmp_path, notebook))


def test_a_name_without_number_is_rejected(tmp_path):
    (found,) = runs.problems(kept(tmp_path, sound(), "01-Title.ipynb"))
    assert found == "the name is not NN-short-name.ipynb"


def test_neighbours_are_linked(monkeypatch, tmp_path):
    monkeypatch.setattr(runs, "FOLDER", tmp_path)
    first = kept(tmp_path, sound())
    second = sound()
    second.cells[0].source = "# 2. A title with a counterexample\n[previous](01-title.ipynb)"
    kept(tmp_path, second, "02-title.ipynb")
    assert runs.problems(tmp_path / "02-title.ipynb") == []
    assert runs.problems(first) == ["no link to 02-title.ipynb"]


@pytest.mark.parametrize(
    "source",
    [
        "import symconv as sc\nsc.prove([])\nsc.linalg.generic_rank",
        "from symconv.proving.finder import find\nfrom symconv.testing import assert_adjoint",
        "from symconv import Conv2d, AxisRelation",
        "import numpy as np\nnp.linalg.det\nx.T.relation(0)\nnp.__file__",
    ],
)
def test_public_uses(source):
    assert runs.private_uses(source) == []


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import symconv.relation", "symconv.relation"),
        ("import symconv.geometry as sc", "symconv.geometry"),
        ("from symconv.relation import AxisRelation", "symconv.relation.AxisRelation"),
        ("from symconv import geometry", "symconv.geometry"),
        ("from symconv.proving import _boxes", "symconv.proving._boxes"),
        ("from symconv.proving.boxes import Box", "symconv.proving.boxes.Box"),
        ("import symconv as sc\nsc.geometry.Geometry", "symconv.geometry"),
        ("import symconv\nsymconv._ROOMS", "_ROOMS"),
        ("operator._linear", "_linear"),
        ("vars(operator)", "vars"),
        ("operator.__dict__", "__dict__"),
        ("from importlib import import_module", "importlib"),
        ("import importlib", "importlib"),
        ("__import__('symconv.geometry')", "__import__"),
        ("from .relation import AxisRelation", "relation"),
    ],
)
def test_private_uses(source, name):
    assert name in runs.private_uses(source)


def test_a_run_starts_in_an_empty_folder_and_leaves_nothing_but_outputs(ran):
    assert ran.metadata == runs.METADATA
    assert [cell.get("execution_count") for cell in ran.cells] == [None, 1, 2, 3]
    assert all(not cell.metadata for cell in ran.cells)
    assert ran.cells[1].outputs[0].text.startswith("[]\n")
    assert ran.cells[3].outputs[0].execution_count == 3


def test_times_do_not_make_an_output_stale(ran):
    other = nbformat.from_dict(ran)
    other.cells[1].outputs[0].text = "[]\nin 1.75 s\n"
    assert runs.stale(other, ran) == []


@pytest.mark.parametrize("spoil", ["number", "picture", "stream", "missing"])
def test_stale_outputs_are_found(ran, spoil):
    other = nbformat.from_dict(ran)
    number = {"number": 3, "picture": 2, "stream": 1, "missing": 3}[spoil]
    cell = other.cells[number]
    if spoil == "missing":
        cell.outputs = []
    elif spoil == "stream":
        cell.outputs[0].text = "['a file']\nin 0.25 s\n"
    else:
        mime, text = {"number": ("text/plain", "41"), "picture": ("image/svg+xml", "<svg/>")}[spoil]
        cell.outputs[0].data[mime] = text
    (found,) = runs.stale(other, ran)
    assert found.startswith(f"cell cell-{number}: kept")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("assert 6 * 7 == 41", "AssertionError"),
        ("import warnings\nwarnings.warn('careful')", "UserWarning"),
        ("unknown", "NameError"),
    ],
)
def test_a_cell_that_fails_is_rejected_and_nothing_is_written(tmp_path, source, said):
    path = kept(tmp_path, made("# 1. A title", source))
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match=said):
        runs.refresh(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_outputs_written_anew(tmp_path):
    notebook = made("# 1. A title", "import time\nprint(f'{time.perf_counter():.3f} s')\n6 * 7")
    notebook.metadata["language_info"]["version"] = "3.1"
    notebook.cells[1].metadata["tags"] = ["kept"]
    path = kept(tmp_path, notebook)
    runs.refresh(path)
    first = path.read_bytes()
    runs.refresh(path)
    assert path.read_bytes() == first
    again = runs.opened(path)
    assert again.metadata == runs.METADATA
    assert runs.shown(again.cells[1]) == [("stdout", "… s\n"), {"text/plain": "42"}]
    assert not again.cells[1].metadata
