"""The documentation site: its examples run, it builds without a warning, and nothing is missing."""

from __future__ import annotations

import doctest
import importlib
import re
import shlex
import shutil
import subprocess
import sys
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import symconv as sc
from symconv.proving.collecting import theorems

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(
    path
    for path in DOCS.rglob("*.md")
    if path.relative_to(DOCS).parts[0] not in ("generated", "_build")
)
#: What the examples of a page, and commands, use besides the core and the command line.
NEEDED = {"engineer": ("z3",), "numerics": ("dask",), "audit": ("onnx", "onnxruntime")}
FLAGS = doctest.NORMALIZE_WHITESPACE


def page_name(path):
    return path.relative_to(DOCS).with_suffix("").as_posix()


def need(name):
    for module in NEEDED.get(name, ()):
        pytest.importorskip(module)


def has_examples(path):
    return ">>>" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [*filter(has_examples, PAGES)], ids=page_name)
def test_examples(path):
    text = path.read_text(encoding="utf-8")
    need(path.stem)
    # A fence ends what an example prints.
    plain = re.sub(r"^```.*$", "", text, flags=re.M)
    examples = doctest.DocTestParser().get_doctest(plain, {}, path.name, str(path), 0)
    result = doctest.DocTestRunner(optionflags=FLAGS).run(examples)
    assert result.attempted > 0
    assert result.failed == 0


def consoles(path):
    """Commands of a page with what it says they print."""
    blocks = re.findall(r"^```console\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)
    return [
        (command, said)
        for block in blocks
        for command, _, said in (
            part.partition("\n") for part in re.split(r"^\$ ", block, flags=re.M)[1:]
        )
    ]


COMMANDS = [console for path in PAGES for console in consoles(path)]


def prints(said, printed):
    """Whether a text is printed; "…" stands for anything."""
    parts = (re.escape(" ".join(part.split())) for part in said.split("…"))
    return re.fullmatch(r"\s*.*?\s*".join(parts), " ".join(printed.split())) is not None


@pytest.mark.parametrize(("command", "said"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_commands(command, said, tmp_path, monkeypatch):
    pytest.importorskip("click")
    name, subcommand, *arguments = shlex.split(command)
    assert name == "symconv"
    need(subcommand)
    from commands import run  # noqa: PLC0415 - needs click

    monkeypatch.chdir(tmp_path)
    (tmp_path / "proofs").symlink_to(ROOT / "proofs")
    if model := re.search(r"\w+\.onnx", command):
        light = Path(importlib.import_module("onnx").__file__).parent / "backend/test/data/light"
        shutil.copy(light / model.group(), tmp_path)
    code, printed = run(subcommand, *arguments)
    assert code == 0
    assert prints(said, printed), printed


def test_a_wrong_output_is_found():
    assert prints("a …\nb", "a 1\n  2\nb\n")
    assert prints("", "\n")
    assert not prints("a …\nb", "a 1\nc\n")
    assert not prints("a", "a b")
    assert len(COMMANDS) >= 5


# The gallery


@pytest.fixture(scope="module")
def figures():
    sys.path.insert(0, str(DOCS))
    try:
        return importlib.import_module("gallery").FIGURES
    finally:
        sys.path.remove(str(DOCS))


#: The guide's figures: samples, kernel, stride, padding and dilation of the convolution, which
#: those of chapter 4 transpose.
GUIDE = {
    "1.1": (5, 3, 1, 0, 1),
    "1.2": (5, 3, 2, 1, 1),
    "1.3": (5, 3, 1, 0, 1),
    "1.4 left": (5, 3, 2, 0, 1),
    "1.4 right": (5, 3, 1, 0, 1),
    "1.5": (5, 3, 1, 0, 1),
    "1.6": (5, 3, 1, 0, 1),
    "2.1": (4, 3, 1, 0, 1),
    "2.2": (5, 4, 1, 2, 1),
    "2.3": (5, 3, 1, 1, 1),
    "2.4": (5, 3, 1, 2, 1),
    "2.5": (5, 3, 2, 0, 1),
    "2.6": (5, 3, 2, 1, 1),
    "2.7": (6, 3, 2, 1, 1),
    "2.8 (a)": (5, 3, 1, 0, 1),
    "2.8 (b)": (5, 3, 2, 0, 1),
    "4.1": (4, 3, 1, 0, 1),
    "4.2": (5, 4, 1, 2, 1),
    "4.3": (5, 3, 1, 1, 1),
    "4.4": (5, 3, 1, 2, 1),
    "4.5": (5, 3, 2, 0, 1),
    "4.6": (5, 3, 2, 1, 1),
    "4.7": (6, 3, 2, 1, 1),
    "5.1": (7, 3, 1, 0, 2),
}


def cells(svg, grid):
    """How many cells of a grid are samples, read back from the SVG."""
    tags = re.findall(rf'<rect[^>]*data-grid="{grid}"[^>]*>', svg)
    return sum('data-kind="sample"' in tag for tag in tags)


def test_every_figure_of_the_guide_is_there_once(figures):
    numbers = [figure.number for figure in figures.values() if figure.number]
    assert sorted(numbers) == sorted(GUIDE)


@pytest.mark.parametrize("number", GUIDE)
def test_a_figure_of_the_guide_has_its_sizes(figures, number):
    samples, kernel, stride, padding, dilation = GUIDE[number]
    outputs = (samples + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    (figure,) = (figure for figure in figures.values() if figure.number == number)
    drawn = figure.make()
    n_in, n_out = (outputs, samples) if number.startswith("4.") else (samples, outputs)
    assert f"{n_in}×{n_in}" in drawn.title
    # Every output is stepped over, of each channel; of 1.4 right, one in two.
    frames = {"1.3": 3 * n_out**2, "1.4 right": 4}.get(number, n_out**2)
    assert drawn.n_frames == frames
    if number != "1.3":
        svg = drawn.svg(figure.frame)
        assert (cells(svg, "input"), cells(svg, "output")) == (n_in**2, n_out**2)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("numbers", [12, 12, 17, 10, 17, 19, 9, 6, 14]),
        ("numbers-padded", [6, 17, 3, 8, 17, 13, 6, 4, 4]),
        ("average", [Fraction(n, 9) for n in (15, 15, 15, 9, 11, 16, 10, 7, 12)]),
        ("maximum", [3, 3, 3, 3, 3, 3, 3, 2, 3]),
    ],
)
def test_the_guides_numbers_come_out(figures, name, values):
    drawn = figures[name].make()
    found = [Fraction(drawn.caption(n).rpartition("= ")[2]) for n in range(drawn.n_frames)]
    assert found == values


def test_every_figure_has_words_and_a_call(figures):
    text = (DOCS / "gallery.md").read_text(encoding="utf-8")
    assert re.findall(r"```\{drawn\} (\S+)", text) == list(figures)
    for figure in figures.values():
        drawn = figure.make()
        assert figure.caption.endswith((".", ".)"))
        assert drawn.title
        assert drawn.alt
        assert 0 <= figure.frame < drawn.n_frames
        assert figure.call.startswith("sc.draw(")
        names = {"sc": sc} | {name: figure.make.__globals__[name] for name in ("SAMPLES", "KERNEL")}
        again = eval(figure.call, names)  # noqa: S307 - what the page shows is what is drawn
        assert again.svg(figure.frame) == drawn.svg(figure.frame)


def test_the_readmes_picture_is_drawn(figures):
    kept = (DOCS / "picture.svg").read_text(encoding="utf-8")
    figure = figures["transposed-padding-stride"]
    assert kept == figure.make().svg(figure.frame, theme="auto")


# The site


class Page(HTMLParser):
    """Anchors, links, pictures and what else a page loads."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.images, self.loaded = set(), [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if "id" in found:
            self.ids.add(found["id"])
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag == "img":
            self.images.append(found)
        source = found.get("src") or (found.get("href") if tag == "link" else None)
        if source and found.get("rel") != "canonical":
            self.loaded.append(source)


def read_site(folder):
    """Every page of a site by its path."""
    return {
        path.relative_to(folder).as_posix(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.html"))
    }


def broken(folder, pages):
    """Links and files that lead nowhere, and what is loaded from elsewhere."""
    found = []
    for name, page in pages.items():
        for address in [*page.links, *page.loaded]:
            parts = urlsplit(address)
            if parts.scheme in ("http", "https", "mailto"):
                if address in page.loaded:
                    found.append(f"{name} loads {address}")
                continue
            if parts.scheme:
                continue  # data: and the like
            target = (folder / name).parent / unquote(parts.path) if parts.path else folder / name
            path = target.resolve().relative_to(folder.resolve()).as_posix()
            if not (folder / path).is_file():
                found.append(f"{name} links to {address}: no such file")
            elif (
                parts.fragment and path in pages and unquote(parts.fragment) not in pages[path].ids
            ):
                found.append(f"{name} links to {address}: no such place")
    return found


def missing(pages, figures):
    """Public names, theorems, notebooks and figures that have no place on the site."""
    below = {
        folder: set().union(*(page.ids for name, page in pages.items() if f"/{folder}/" in name))
        for folder in ("api", "theorems")
    }
    wanted = [f"symconv.{name}" for name in sc.__all__]
    for module in ("proving", "testing"):
        package = importlib.import_module(f"symconv.{module}")
        # What `symconv` itself has too stands there.
        wanted += [
            f"symconv.{module}.{name}"
            for name in package.__all__
            if getattr(sc, name, None) is not getattr(package, name)
        ]
    found = [f"name {name}" for name in wanted if name not in below["api"]]
    found += [f"theorem {name}" for name in theorems() if name not in below["theorems"]]
    notebooks = (path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
    found += [f"notebook {n}" for n in notebooks if f"generated/tutorials/{n}.html" not in pages]
    gallery = pages.get("gallery.html")
    described = {image["src"]: image.get("alt") for image in gallery.images} if gallery else {}
    for name in figures:
        for theme in ("light", "dark"):
            if not described.get(f"_images/{name}-{theme}.svg"):
                found.append(f"figure {name}, {theme}")
    return found


def test_the_extensions_examples():
    pytest.importorskip("sphinx")
    pytest.importorskip("click")
    sys.path.insert(0, str(DOCS / "_ext"))
    try:
        result = doctest.testmod(importlib.import_module("reference"), optionflags=FLAGS)
    finally:
        sys.path.remove(str(DOCS / "_ext"))
    assert result.attempted > 0
    assert result.failed == 0


def test_site(tmp_path, figures):
    """Built strictly; one test, because a build takes a minute."""
    for module in ("sphinx", "myst_nb", "furo", "numpydoc", "sphinx_design", "sphinx_copybutton"):
        pytest.importorskip(
            module, reason=f'{module} is not installed: pip install "symconv[docs]"'
        )
    pytest.importorskip("latex2mathml")
    site = tmp_path / "html"
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-j", "auto"]
    done = subprocess.run(
        [*build, "-b", "html", "-d", str(tmp_path / "doctrees"), "docs", str(site)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pages = read_site(site)
    assert missing(pages, figures) == []
    assert broken(site, pages) == []
    assert all(page.ids for page in pages.values())


def test_a_broken_site_is_found(tmp_path, figures):
    (tmp_path / "a.html").write_text(
        '<a href="b.html#here">x</a><a href="b.html#there">x</a><a href="c.html">x</a>'
        '<a href="#top">x</a><a href="https://example.org/gone">x</a>'
        '<script src="https://example.org/x.js"></script><img src="b.html">'
    )
    (tmp_path / "b.html").write_text('<p id="here">x</p>')
    pages = read_site(tmp_path)
    assert broken(tmp_path, pages) == [
        "a.html links to b.html#there: no such place",
        "a.html links to c.html: no such file",
        "a.html links to #top: no such place",
        "a.html loads https://example.org/x.js",
    ]
    assert len(missing(pages, figures)) > len(sc.__all__) + len(theorems())


def test_an_unknown_name_stops_the_build(tmp_path):
    pytest.importorskip("numpydoc")
    pytest.importorskip("sphinx")
    pytest.importorskip("latex2mathml")
    (tmp_path / "conf.py").write_text(
        f"import sys\nsys.path.insert(0, {str(DOCS / '_ext')!r})\nimport reference\n"
        "extensions = ['mathml']\nnitpicky = True\ndefault_role = 'py:obj'\n"
        "def setup(app):\n    app.connect('missing-reference', reference.resolve)\n"
    )
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n", "-b", "html"]

    def built(text):
        (tmp_path / "index.rst").write_text(f"Title\n=====\n\n{text}\n")
        command = [*build, str(tmp_path), str(tmp_path / "html")]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    good = built("`kernel_size` of `symconv.layers.base.Layer`, :math:`a+b`.")
    assert (good.returncode, good.stderr) == (0, "")
    bad = built("`symconv.Konv` and `kernal_size`: :doc:`nowhere`, :math:`{`.")
    assert bad.returncode != 0
    for complaint in (
        "target not found: symconv.Konv",
        "target not found: kernal_size",
        "unknown document",
        "formula is not converted: {",
    ):
        assert complaint in bad.stderr
