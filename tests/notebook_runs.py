"""What every notebook must keep to, and how one is run; as a command, outputs written anew.

    python tests/notebook_runs.py                      # all of notebooks/
    python tests/notebook_runs.py notebooks/0[1-7]*    # some

Needs the extras "notebook" and what the notebooks say. A notebook runs in a kernel of its own, in
an empty directory, with warnings as errors; nothing but sources and outputs is written back.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
NAME = re.compile(r"\d\d(-[a-z0-9]+)+\.ipynb")
CELL = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LINK = re.compile(r"\]\(([^)\s]+)\)")
#: Times differ from run to run.
DURATION = re.compile(r"\b\d+\.\d+ (m?s)\b")

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
MOST_BYTES = 150_000
LEAST_ASSERTIONS = 8
#: Rooms that readers import from, besides `symconv` itself.
ROOMS = {"linalg", "proving", "proving.checker", "proving.finder", "testing"}
#: Nothing of this may stand in the way of reading an import.
INDIRECT = {"importlib", "__import__", "exec", "eval", "getattr", "globals", "vars", "__dict__"}
SECONDS = 120
#: Runs before the first cell. What the kernel itself warns of is not the notebook's.
STRICT = """import warnings
warnings.simplefilter("error")
warnings.filterwarnings("ignore", module="ipykernel")"""


def notebooks() -> list[Path]:
    """The course, in order."""
    return sorted(FOLDER.glob("*.ipynb"))


def opened(path):
    """The notebook as it is: `nbformat.read` would mend ids."""
    return nbformat.v4.reads(path.read_text(encoding="utf-8"))


def code(notebook) -> str:
    """The source of all code cells."""
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


def imports(source: str) -> set[str]:
    """Every module that the source imports."""
    nodes = list(ast.walk(ast.parse(source)))
    found = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return found | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}


def private_uses(source: str) -> list[str]:
    """Imports and attributes that are not symconv's public ones."""
    import symconv as sc  # noqa: PLC0415 - rules can be read without it

    rooms = {f"symconv.{room}" for room in ROOMS}
    public = {*sc.__all__, *ROOMS, "__version__"}
    modules: set[str] = set()
    found = []
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in (alias.name for alias in node.names):
                if name.split(".")[0] == "symconv" and name not in {"symconv", *rooms}:
                    found.append(name)
                if name in INDIRECT:
                    found.append(name)
            modules |= {
                alias.asname or alias.name for alias in node.names if alias.name == "symconv"
            }
        elif isinstance(node, ast.ImportFrom):
            room = node.module or ""
            names = [alias.name for alias in node.names]
            if room == "symconv":
                found += [f"symconv.{name}" for name in names if name not in public]
            elif room.split(".")[0] == "symconv":
                found += [f"{room}.{name}" for name in names if name[0] == "_" or room not in rooms]
            elif node.level or room in INDIRECT:
                found.append(room or ".")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in INDIRECT:
            found.append(node.id)
        elif isinstance(node, ast.Attribute):
            of_symconv = isinstance(node.value, ast.Name) and node.value.id in modules
            is_private = node.attr[0] == "_" and not node.attr.endswith("__")
            if is_private or node.attr in INDIRECT:
                found.append(node.attr)
            elif of_symconv and node.attr not in public:
                found.append(f"symconv.{node.attr}")
    return found


def problems(path) -> list[str]:
    """What is wrong with a notebook as it is kept, without running it."""
    notebook = opened(path)
    found = []
    if not NAME.fullmatch(path.name):
        found.append("the name is not NN-short-name.ipynb")
    if path.stat().st_size > MOST_BYTES:
        found.append(f"{path.stat().st_size} bytes, above {MOST_BYTES}")
    if notebook.metadata != METADATA or (notebook.nbformat, notebook.nbformat_minor) != (4, 5):
        found.append("metadata other than the kernel's and the language's name, or not format 4.5")
    ids = [cell.get("id", "") for cell in notebook.cells]
    if len(set(ids)) < len(ids) or not all(map(CELL.fullmatch, ids)):
        return [*found, "cell ids are not distinct words of a-z, 0-9 and hyphens"]
    nbformat.validate(notebook)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    if counts != list(range(1, len(counts) + 1)):
        found.append("code cells are not numbered from 1 in order: run top to bottom")
    for cell in notebook.cells:
        found += [f"cell {cell.id}: {what}" for what in _cell_problems(cell)]
    tree = ast.parse(code(notebook))
    assertions = sum(isinstance(node, ast.Assert) for node in ast.walk(tree))
    if assertions < LEAST_ASSERTIONS:
        found.append(f"{assertions} assertions, fewer than {LEAST_ASSERTIONS}")
    if "counterexample" not in path.read_text(encoding="utf-8"):
        found.append("refutes nothing: no counterexample")
    found += [f"not public: {name}" for name in private_uses(code(notebook))]
    return found + _prose_problems(path, notebook)


def _cell_problems(cell) -> list[str]:
    found = ["has metadata"] if cell.metadata else []
    for output in cell.get("outputs", ()):
        if output.output_type == "error":
            found.append(f"failed: {output.ename}")
        if output.get("name") == "stderr":
            found.append("wrote to stderr")
        if output.get("metadata"):
            found.append("an output has metadata")
        if any("javascript" in mime or "widget" in mime for mime in output.get("data", {})):
            found.append("an output needs JavaScript")
        if "<script" in str(output):
            found.append("an output needs JavaScript")
    return found


def _prose_problems(path, notebook) -> list[str]:
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    text = "\n".join(prose)
    headings = ("What to remember", "Exercise")
    found = [f"no heading {heading!r}" for heading in headings if f"## {heading}" not in text]
    if not prose or not prose[0].startswith(f"# {int(path.name[:2])}. "):
        found.append("the first cell is no title '# N. …' with the notebook's number")
    links = LINK.findall(text)
    order = notebooks() if path.parent == FOLDER else [path]
    at = order.index(path)
    wanted = {other.name for other in order[max(at - 1, 0) : at + 2] if other != path}
    found += [f"no link to {name}" for name in sorted(wanted - set(links))]
    local = [link for link in links if "://" not in link and not link.startswith("#")]
    found += [f"no file {link}" for link in local if not (path.parent / link).exists()]
    return found


def executed(notebook):
    """A copy run top to bottom in a fresh kernel, with clean metadata and fresh outputs.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell raises, also by an assertion or a warning.
    """
    fresh = nbformat.from_dict(notebook)
    fresh.cells.insert(0, nbformat.v4.new_code_cell(STRICT))
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            fresh,
            timeout=SECONDS,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": folder}},
        ).execute()
    del fresh.cells[0]
    fresh.metadata = nbformat.from_dict(METADATA)
    number = 0
    for cell in fresh.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            number += 1
            cell.execution_count = number
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = number
    return fresh


def shown(cell) -> list[object]:
    """What a code cell shows, as text: without times, numbers of execution and rasters."""
    found: list[object] = []
    for output in cell.outputs:
        if output.output_type == "stream":
            found.append((output.name, DURATION.sub(r"… \1", output.text)))
        else:
            data = output.get("data", {"error": output.get("evalue")})
            texts = {
                mime: "" if mime.startswith("image/") and "svg" not in mime else text
                for mime, text in data.items()
            }
            found.append({m: DURATION.sub(r"… \1", str(text)) for m, text in texts.items()})
    return found


def stale(kept, fresh) -> list[str]:
    """The code cells whose kept outputs are not those of a fresh run."""
    pairs = zip(kept.cells, fresh.cells, strict=True)
    return [
        f"cell {old.id}: kept {shown(old)}, fresh {shown(new)}"
        for old, new in pairs
        if old.cell_type == "code" and shown(old) != shown(new)
    ]


def refresh(path) -> None:
    """Run a notebook and write it back whole, or leave it as it is.

    Printed times are left as they were, where nothing else changed: a second run writes the same.
    """
    kept = opened(path)
    fresh = executed(kept)
    for old, new in zip(kept.cells, fresh.cells, strict=True):
        if old.cell_type == "code" and shown(old) == shown(new):
            for before, after in zip(old.outputs, new.outputs, strict=True):
                if after.output_type == "stream":
                    after.text = before.text
    half = path.with_suffix(".half")
    half.write_text(nbformat.writes(fresh) + "\n", encoding="utf-8")
    os.replace(half, path)


if __name__ == "__main__":
    for name in map(Path, sys.argv[1:] or notebooks()):
        print(name)
        refresh(name)
