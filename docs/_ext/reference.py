"""The reference, made from the list of public names: a page a subject, no name left out.

A public name's room decides its page; a room that stands under no subject stops the build.
"""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import click
import sympy
from docutils import nodes
from generated import write_folder
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

import symconv
from symconv.cli import commands
from symconv.drawing import VIEWS


@dataclass(frozen=True)
class Subject:
    """A page: its title, what it is about, and the rooms whose public names it documents."""

    title: str
    about: str
    rooms: tuple[str, ...]


SUBJECTS = {
    "layers": Subject(
        "Layers",
        "What a user describes: a layer with its parameters, sizes left free. Parameters have "
        "PyTorch's names.",
        ("layers",),
    ),
    "operators": Subject(
        "Operators",
        "A layer at one input size: the linear map, its matrix, its products, its transpose.",
        ("operator", "bound", "maps", "transposed", "flipped", "execute", "certifying"),
    ),
    "pooling": Subject(
        "Pooling and other algebras",
        "Maxima, p-norms and morphology: the same triples over another arithmetic.",
        (
            "maxpool",
            "lppool",
            "morphology",
            "selection",
            "semirings",
            "semiring_matrix",
            "maxlinear",
            "piecewise",
            "invariance",
            "shifts",
        ),
    ),
    "sizes": Subject(
        "Sizes and the index relation",
        "Output sizes, their inverses, and the relation that everything derives from.",
        ("relation", "shapes", "roundtrip"),
    ),
    "fields": Subject(
        "Receptive fields, counts and overlap",
        "What an output reads, how often, and what it costs.",
        ("receptive", "reach", "overlap", "counts", "ratios"),
    ),
    "linalg": Subject(
        "Linear algebra",
        "Questions about an operator as a matrix, answered exactly; norms as enclosures.",
        ("linalg", "deconvolution", "norms", "lipschitz", "spectra"),
    ),
    "kernels": Subject(
        "Kernels and fast algorithms",
        "Separable kernels, depthwise factors, Winograd's transforms, quantised arithmetic.",
        ("separable", "passes", "toomcook", "quantised"),
    ),
    "networks": Subject(
        "Networks",
        "Layers composed, by hand, from PyTorch modules or from ONNX files.",
        ("network", "adapters.onnx", "adapters.torch"),
    ),
    "conventions": Subject(
        "Conventions and comparison",
        "How frameworks spell a geometry, and exactly where two of them differ.",
        ("conventions", "compare"),
    ),
    "verifying": Subject(
        "Verification",
        "Verdicts on other implementations: one, a model's nodes, or a whole lattice of "
        "geometries.",
        ("verifying", "adapters.engines", "auditing", "sweeping", "vectors"),
    ),
    "theorems": Subject(
        "Theorems and verdicts",
        "The ledger, and what every answer is: proved, refuted or undecided, with its scope.",
        ("proving", "verdict", "errors"),
    ),
    "pictures": Subject(
        "Pictures",
        "Diagrams drawn from the incidence.",
        ("pictures", "drawing", "explorer"),
    ),
}

#: Public packages beside `symconv` itself: names that are imported from there.
PACKAGES = {
    "symconv.proving": "Words to state theorems in (see {doc}`/howto/engineer`).",
    "symconv.testing": "Assertions for other test suites (see {doc}`/howto/test_writer`).",
}


def subject_of(room: str) -> str:
    """The page of a room: the longest of its names that stands under a subject.

    Examples
    --------
    >>> subject_of("adapters.torch"), subject_of("execute.planner")
    ('networks', 'operators')
    """
    pages = {name: page for page, subject in SUBJECTS.items() for name in subject.rooms}
    name = room
    while name not in pages:
        name, dot, _ = name.rpartition(".")
        if not dot:
            raise ExtensionError(f"give the room {room!r} a subject in docs/_ext/reference.py")
    return pages[name]


def names_by_subject() -> dict[str, list[str]]:
    """Public names of every page, classes and functions in the order of the alphabet."""
    found: dict[str, list[str]] = {page: [] for page in SUBJECTS}
    for name in sorted(symconv.__all__, key=str.lower):
        found[subject_of(symconv._ROOMS[name])].append(name)
    return found


def own_names(module: str) -> list[str]:
    """Public names of a package, without those that are documented as names of `symconv`."""
    package = import_module(module)
    return [
        name
        for name in package.__all__
        if getattr(symconv, name, None) is not getattr(package, name)
    ]


def summary(thing: Any) -> str:
    """The first line of a docstring; for plain data nothing that its type would say."""
    if not (inspect.isclass(thing) or inspect.isroutine(thing)):
        return f"A {type(thing).__name__}."
    return (inspect.getdoc(thing) or "").partition("\n\n")[0].replace("\n", " ")


def entry(module: str, name: str) -> str:
    """The directive that documents one name."""
    thing = getattr(import_module(module), name)
    if inspect.isclass(thing):
        # What layers share is said once, at Layer.
        outside = "object, tuple, dict, Exception, Layer" if name != "Layer" else "object"
        options = f"   :members:\n   :inherited-members: {outside}\n"
        return f".. autoclass:: {module}.{name}\n{options}"
    if inspect.isroutine(thing):
        return f".. autofunction:: {module}.{name}\n"
    return f".. autodata:: {module}.{name}\n   :no-value:\n"


def table(module: str, names: list[str]) -> str:
    """Names with their first lines."""
    rows = "".join(
        f"   * - :py:obj:`~{module}.{name}`\n"
        f"     - {summary(getattr(import_module(module), name))}\n"
        for name in names
    )
    return f".. list-table::\n   :widths: 35 65\n   :class: names\n\n{rows}"


def page(title: str, about: str, module: str, names: list[str]) -> str:
    """A page of the reference in reStructuredText, which docstrings are written in."""
    entries = "\n".join(entry(module, name) for name in names)
    return (
        f"{title}\n{'=' * len(title)}\n\n{about}\n\n{table(module, names)}\n"
        f".. currentmodule:: {module}\n\n{entries}"
    )


def views() -> str:
    """The options of `symconv.draw`, view by view."""
    title = "Options of each view"
    entries = "\n".join(
        f".. autofunction:: symconv.drawing.{room}.draw_{view}\n" for view, room in VIEWS.items()
    )
    return f"\n{title}\n{'-' * len(title)}\n\n{entries}"


def command_page() -> str:
    """The command line, as its own help says it."""
    text = ["# The command line\n", inspect.cleandoc(commands.help or ""), ""]
    context = click.Context(commands, info_name="symconv")
    for name in commands.list_commands(context):
        command = commands.get_command(context, name)
        if command is None or command.hidden:
            continue
        own = click.Context(command, info_name=name, parent=context, terminal_width=88)
        text.append(f"## symconv {name}\n\n```text\n{command.get_help(own)}\n```\n")
    return "\n".join(text)


def write_reference(app: Sphinx) -> None:
    """Write `docs/generated/api`."""
    files = {}
    for name, names in names_by_subject().items():
        subject = SUBJECTS[name]
        if names:
            files[f"{name}.rst"] = page(subject.title, subject.about, "symconv", names)
    files["pictures.rst"] += views()
    for module, about in PACKAGES.items():
        text = page(module, "", module, own_names(module))
        files[f"{module}.rst"] = text.replace("\n\n\n\n", f"\n\n{_rst(about)}\n\n", 1)
    files["commands.md"] = command_page()
    write_folder("api", files)


def _rst(text: str) -> str:
    return text.replace("{doc}", ":doc:")


#: Code between backticks, a star before the name of several dimensions, a bar of a magnitude.
_PROSE = re.compile(r"(``.+?``|`.+?`)|(?:(?<=\()|(?<=, ))\*(?=[\w ]+[,)])|(?<!\\)\|")


def escape_prose(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    r"""Docstrings are plain prose: shapes as (\*batch, …) and magnitudes are no markup.

    Examples
    --------
    >>> lines = ["|x| of shape (*batch, n), ``|y|``, *so*"]
    >>> escape_prose(None, "", "", None, None, lines)
    >>> print(lines[0])
    \|x\| of shape (\*batch, n), ``|y|``, *so*
    """
    for number, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            lines[number] = _PROSE.sub(lambda found: found[1] or f"\\{found[0]}", line)


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.Element
) -> nodes.Node | None:
    """What docstrings put between backticks: a link if it has a public name, else plain code.

    A name that neither the code nor a signature knows stays unresolved, which is a warning.
    """
    if node.get("refdomain") != "py":
        return None
    target = str(node.get("reftarget", ""))
    domain = env.domains.python_domain
    name = target.rpartition(".")[2]
    owner = target.rpartition(".")[0].rpartition(".")[2]
    view = f"symconv.drawing.{VIEWS.get(name.removeprefix('draw_'))}.{name}"
    for full in (f"symconv.{owner}.{name}", f"symconv.{name}", view):
        if full in domain.objects and (target == name or _imported(target) is _imported(full)):
            return domain.resolve_xref(
                env, node["refdoc"], app.builder, "obj", full, node, contnode
            )
    words = target.partition(".")[0] in _words() or hasattr(sympy, target)
    known = words or _imported(target) is not None
    return contnode if known else None


def _imported(target: str) -> Any:
    """What a full name stands for, or None; fields without a default stand for their class."""
    parts = target.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            thing: Any = import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        for part in parts[cut:]:
            if part not in getattr(thing, "__dataclass_fields__", ()):
                thing = getattr(thing, part, None)
        return thing
    return None


@cache
def _words() -> frozenset[str]:
    """Names in the package's own modules and classes, and parameters of what they define."""
    found: set[str] = set()
    modules = [module for name, module in sys.modules.items() if name.startswith("symconv.")]
    for module in modules:
        for name, thing in vars(module).items():
            found.add(name)
            inside = list(vars(thing).items()) if inspect.isclass(thing) else []
            found.update(name for name, _ in inside)
            for member in (thing, *(value for _, value in inside)):
                code = getattr(inspect.unwrap(member), "__code__", None)
                found.update(code.co_varnames if code else ())
                found.update(getattr(member, "__dataclass_fields__", ()))
    return frozenset(found)


def skip_member(
    app: Sphinx, what: str, name: str, obj: object, skip: bool, options: object
) -> bool | None:
    """A named tuple's fields stand among its attributes already."""
    return True if (inspect.getdoc(obj) or "").startswith("Alias for field number") else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for sources, and resolve what they link to."""
    app.connect("builder-inited", write_reference)
    app.connect("autodoc-skip-member", skip_member)
    # Before numpydoc, which writes markup of its own.
    app.connect("autodoc-process-docstring", escape_prose, priority=400)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
