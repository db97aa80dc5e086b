"""The ledger as an HTML page: complete, escaped, the same every time, loading nothing."""

from __future__ import annotations

import copy
import json
import re
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import oracles
import pytest

from symconv.errors import MissingExtraError, ParameterError
from symconv.proving.report import report_html
from symconv.proving.report_cases import case_html, drawing, table_html
from symconv.proving.report_page import asset
from symconv.proving.report_proof import MAX_WRITTEN, proof_html
from symconv.proving.report_text import ATTRIBUTES, ELEMENTS, formula_lines, mathml, pretty
from symconv.relation import AxisRelation
from symconv.rendering import axis_svg, bars_svg
from symconv.rendering.axis import MAX_COLUMNS, MAX_ROWS
from symconv.rendering.bars import MAX_BARS

CERTIFICATE = Path(__file__).parents[1] / "proofs/certificates/transposed.zero-insertion.json"
NASTY = (
    "<script>alert(1)</script><img src=x onerror='alert(2)'>\"'&amp;]]>--></pre></style>\x00\x1b"
)
SHOWN = NASTY.replace("\x00", "\ufffd").replace("\x1b", "\ufffd")
VOID = {"meta", "input", "br"}
NAMESPACES = {"http://www.w3.org/1998/Math/MathML", "http://www.w3.org/2000/svg"}
HTML = """
    html head meta title style body header main section details summary form select option input
    output button script h1 h2 h3 h4 p div span b i em a code pre br dl dt dd ul ol li table caption
    tr th td figure figcaption
"""
SVG = "svg title desc path rect circle text g"


class Page(HTMLParser):
    """Elements with their attributes, and the text; what is not closed properly is refused."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def count(self, tag, **attributes):
        wanted = {name.strip("_"): value for name, value in attributes.items()}
        return sum(name == tag and wanted.items() <= found.items() for name, found in self.elements)


def certificate() -> dict[str, Any]:
    return json.loads(CERTIFICATE.read_text("utf-8"))


def row(**changes: Any) -> dict[str, Any]:
    usual = {
        "identifier": "relation.size",
        "subject": "relation",
        "words": "The number of windows that fit.",
        "latex": r"O = \left\lfloor \frac{N-E}{s} \right\rfloor + 1",
        "source": "symconv",
        "remark": "",
        "scope": "all sizes",
        "method": "certificate",
        "concludes": "sizes",
        "corollary_of": "",
        "expected": "PROVED",
        "verdict": "PROVED",
        "as_expected": True,
        "reason": "1 shown by 2 products of facts",
        "counterexample": None,
        "near_miss": None,
        "certificate": None,
        "definition": "def size(t):\n    pass\n",
        "seconds": 0.0125,
    }
    assert set(changes) <= set(usual)
    return usual | changes


def ledger(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"format": "symconv ledger 1", "version": "0.1.0", "theorems": list(rows)}


def small() -> dict[str, Any]:
    """A ledger with every verdict, scope and method."""
    document = certificate()
    return ledger(
        row(
            identifier="transposed.zero-insertion",
            subject="transposed",
            words="Insert zeros, flip the kernel.",
            latex=r"(i,k,y)\in T \iff (y,\,K-1-k,\,i)\in C",
            source="V. Dumoulin, F. Visin (2016), relationship 13",
            remark="For every dilation.",
            concludes="triples",
            reason="2 shown by 34 products of facts",
            near_miss={
                "words": "the same without flipping the kernel",
                "verdict": "REFUTED",
                "reason": "the smallest of all",
                "counterexample": {"s": 2, "d": 1, "K": 2, "n": 2, "lo": 1, "hi": 0, "op": 0}
                | {"y": 1, "k": 0, "i": 1},
            },
            certificate={
                "bytes": CERTIFICATE.stat().st_size,
                "shown": 2,
                "products": 34,
                "document": document,
            },
        ),
        row(
            identifier="transposed.stride-one",
            subject="transposed",
            corollary_of="transposed.zero-insertion",
            scope="all values at stated sizes",
            method="cases",
            reason="K 1…3, d 1, 3: 6 settings",
            seconds=2.25,
        ),
        row(
            identifier="sizes.as-stated",
            subject="sizes",
            scope="exhaustive over a stated box",
            method="cases",
            expected="REFUTED",
            verdict="REFUTED",
            reason="the smallest in s 1…3",
            counterexample={"s": 2, "mode": "half-pixel", "sizes": [4, {"first": 5}]},
            certificate=None,
        ),
        row(
            identifier="sizes.faster",
            subject="sizes",
            scope="none",
            method="no claim",
            concludes="words",
            expected="UNDECIDED",
            verdict="UNDECIDED",
            reason="faster than what is not said",
            definition="",
        ),
        row(identifier="sizes.odd-one", subject="sizes", verdict="UNDECIDED", as_expected=False),
    )


@pytest.fixture(scope="module")
def html() -> str:
    pytest.importorskip("latex2mathml")
    return report_html(small())


# ---------------------------------------------------------------------------------------------
# The page


def test_every_field_is_shown(html):
    page = Page(html)
    squeezed = re.sub(r"\s+", " ", page.text)  # no-break spaces too
    for theorem in small()["theorems"]:
        for name, value in theorem.items():
            if isinstance(value, str):
                assert re.sub(r"\s+", " ", value) in squeezed, name
    for text in ("the same without flipping the kernel", "the smallest of all", "half-pixel"):
        assert text in squeezed
    assert '[4, {"first": 5}]' in squeezed
    assert "12 ms" in squeezed
    assert "2.2 s" in squeezed
    size = CERTIFICATE.stat().st_size
    assert (f"{size // 1000}.{size % 1000 // 100} kB" if size >= 1000 else f"{size} B") in squeezed
    # The certificate as the file has it, to copy and to check elsewhere.
    assert CERTIFICATE.read_text("utf-8").strip() in page.text
    assert page.count("details", class_="row") == 5
    assert page.count("math") == 5
    assert page.count("figure") == 2


def test_the_summary_counts_corollaries_apart(html):
    page = Page(html)
    text = page.text
    for said in ("4 theorems", "1 corollary", "1 proved for all sizes", "1 proved equal as"):
        assert said in text
    assert "1 certificate, " in text
    assert "4 of 5 as expected" in text
    assert "Not as expected: sizes.odd-one." in text
    table = html[html.index("<caption>") :].partition("</table>")[0]
    assert "corollaries after the plus sign" in table
    rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', table)
    cells = {name: re.findall("<td.*?>(.*?)</td>", rest) for name, rest in rows}
    assert cells == {
        "all sizes": ["1", "–", "1"],
        "all values at stated sizes": ['0 <span class="soft">+ 1</span>', "–", "–"],
        "exhaustive over a stated box": ["–", "1", "–"],
        "none": ["–", "–", "1"],
    }


def test_filters_list_what_there_is(html):
    page = Page(html)
    values = [found["value"] for name, found in page.elements if name == "option"]
    scopes = ["all sizes", "all values at stated sizes", "exhaustive over a stated box", "none"]
    verdicts = ["PROVED", "REFUTED", "UNDECIDED"]
    assert values == ["", "transposed", "sizes", "", *verdicts, "", *scopes]
    form = next(found for name, found in page.elements if name == "form")
    assert "hidden" in form, "controls without the script that serves them would do nothing"


def test_the_page_is_the_same_every_time(html):
    assert report_html(small()) == html
    assert report_html(json.loads(json.dumps(small()))) == html
    assert not re.search(r"20[0-9][0-9]-[0-9]{2}-[0-9]{2}", html)
    assert str(Path(__file__).parents[1]) not in html


def test_nothing_is_loaded_and_no_other_script_runs(html):
    page = Page(html)
    for _, found in page.elements:
        for name, value in found.items():
            assert not name.startswith("on")
            assert name not in ("src", "srcset", "action", "style", "data")
            assert name != "href" or str(value).startswith("#")
    assert page.count("script") == 1
    style, script = asset("report.css"), asset("report.js")
    assert "url(" not in style
    assert "@import" not in style
    assert "</" not in style + script
    for word in ("fetch", "XMLHttpRequest", "import(", "eval", "innerHTML"):
        assert word not in script
    policy = next(
        found["content"] for name, found in page.elements if name == "meta" and "content" in found
    )
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy
    links = set(re.findall(r"https?://[^\s\"'<>]*", html))
    assert links <= NAMESPACES


def test_an_empty_ledger_is_a_page():
    page = Page(report_html(ledger()))
    assert "0 theorems" in page.text
    assert page.count("details", class_="row") == 0


def test_what_is_no_ledger_is_refused():
    with pytest.raises(ParameterError, match="format 'symconv ledger 1', got 'other'"):
        report_html({"format": "other"})
    incomplete = row()
    del incomplete["words"], incomplete["scope"]
    with pytest.raises(ParameterError, match=r"relation\.size of the ledger lacks scope, words"):
        report_html(ledger(incomplete))


def test_150_theorems_are_a_light_page_made_in_seconds():
    pytest.importorskip("latex2mathml")
    theorem = small()["theorems"][0]
    many = [theorem | {"identifier": f"transposed.number-{n}"} for n in range(150)]
    begin = time.process_time()
    page = report_html(ledger(*many))
    assert time.process_time() - begin < 5
    assert len(page.encode()) < 3_000_000


# ---------------------------------------------------------------------------------------------
# Escaping


def spoiled(value: Any) -> Any:
    """Each text with markup in it, names of counterexamples too."""
    if isinstance(value, str):
        return value + NASTY
    if isinstance(value, dict):
        return {name + NASTY: spoiled(part) for name, part in value.items()}
    if isinstance(value, list):
        return [spoiled(part) for part in value]
    return value


def nasty_row() -> dict[str, Any]:
    plain = small()["theorems"][0]
    usual = {name: spoiled(value) for name, value in plain.items() if isinstance(value, str)}
    near = {name: spoiled(value) for name, value in plain["near_miss"].items()}
    return (
        plain
        | usual
        | {
            "corollary_of": NASTY,
            "counterexample": {NASTY: 3, "nested": {NASTY: [NASTY]}},
            "near_miss": near,
            "as_expected": False,
        }
    )


def test_markup_in_any_field_stays_text():
    pytest.importorskip("latex2mathml")
    theorem = nasty_row()
    page = Page(report_html(ledger(theorem) | {"version": NASTY}))
    assert {name for name, _ in page.elements} <= {*HTML.split(), *SVG.split(), *ELEMENTS}
    assert page.count("script") == 1
    assert page.count("style") == 1
    for name, found in page.elements:
        assert name != "img"
        assert not any(key.startswith("on") for key in found)
    for name in ("words", "source", "remark", "scope", "method", "concludes", "definition"):
        assert theorem[name].replace("\x00", "\ufffd").replace("\x1b", "\ufffd") in page.text
    # Each of the texts is there as it was written: 15 fields, their copies, names and values.
    assert page.text.count(SHOWN) > 20


def test_markup_in_a_certificate_stays_text():
    document = certificate()
    document["theorem"] += NASTY
    document["variables"][0] = NASTY
    refused = Page(proof_html(document))
    assert [name for name, _ in refused.elements] == ["p"]
    assert "The checker rejects this certificate" in refused.text
    certified = {"bytes": 1, "shown": 1, "products": 1, "document": document}
    pytest.importorskip("latex2mathml")
    page = Page(report_html(ledger(row(certificate=certified))))
    assert page.count("script") == 1
    assert json.dumps(document["theorem"], ensure_ascii=False) in page.text


# ---------------------------------------------------------------------------------------------
# Formulas


def test_formulas_become_mathml():
    pytest.importorskip("latex2mathml")
    page = Page(
        mathml(r"\sum_{k=0}^{K-1} w_k \, x_{s o + d k - p} \iff \begin{pmatrix}1&2\end{pmatrix}")
    )
    names = [name for name, _ in page.elements]
    assert names[0] == "math"
    assert {"munderover", "msub", "mtable", "mtd"} <= set(names)
    assert page.count("mo") >= 6
    # A long arrow is an operator, or it would stand without space.
    assert "<mo>⟺</mo>" in mathml(r"a \iff b")


@pytest.mark.parametrize(
    "latex",
    [
        r"\href{javascript:alert(1)}{x}",
        r"\style{background:url(http://x)}{x}",
        r"\class{row}{x}",
        r"\text{</math><script>alert(1)</script>}",
        r"<script>alert(1)</script>",
        r"\mathrm{</mi><img src=x onerror=alert(1)>}",
        r"\color{red;}x",
        r"\begin{array}{l\"onclick=}x\end{array}",
        NASTY,
    ],
)
def test_mathml_has_known_elements_and_attributes_only(latex):
    pytest.importorskip("latex2mathml")
    page = Page(mathml(latex))
    for name, found in page.elements:
        assert name in {*ELEMENTS, "code"}
        assert set(found) <= ATTRIBUTES


def test_what_is_no_latex_is_shown_as_it_is():
    pytest.importorskip("latex2mathml")
    assert mathml(r"\frac{") == r"<code>\frac{</code>"


def test_a_missing_converter_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)
    with pytest.raises(MissingExtraError, match=r"symconv\[cli\]"):
        report_html(small())
    assert "0" in report_html(ledger())


@pytest.mark.parametrize(
    ("formula", "lines"),
    [
        ("s*o + d*k - p >= -2", ["s·o + d·k − p ≥ −2"]),
        ({"all": ["0 <= i", "i < n"]}, ["0 ≤ i < n"]),
        ({"all": ["i >= 0", "k < n"]}, ["i ≥ 0 ∧ k < n"]),
        ({"all": [{"all": ["i >= a*a", "i <= n"]}, "k != 0"]}, ["a² ≤ i ≤ n ∧ k ≠ 0"]),
        ({"any": ["a == 0", {"all": ["b > 0", "c > 0"]}]}, ["a = 0", "∨ b > 0 ∧ c > 0"]),
        ({"all": [{"any": ["a == 0", "b == 0"]}, "c == 0"]}, ["(a = 0 ∨ b = 0) ∧ c = 0"]),
        ({"if": [{"any": ["a == 0", "b == 0"]}, "c == 0"]}, ["a = 0 ∨ b = 0", "⇒ c = 0"]),
        ({"not": {"iff": ["a == 0", {"if": ["b == 0", "c == 0"]}]}},
         ["¬(a = 0 ⇔ (b = 0 ⇒ c = 0))"]),
    ],
)  # fmt: skip
def test_formulas_of_certificates_are_written_as_people_do(formula, lines):
    assert formula_lines(formula) == lines


def test_names_and_powers_are_printed_small():
    assert pretty("q_12*q_12*s_x - 2*k*k_1 + n*nn") == "q₁₂²·s_x − 2·k·k₁ + n·nn"


# ---------------------------------------------------------------------------------------------
# Proofs


def wrapped(variables: list[str], steps: list[Any], *witnesses: dict[str, int]) -> dict[str, Any]:
    return {
        "format": "symconv certificate 1",
        "theorem": "a.b",
        "variables": variables,
        "steps": steps,
        "witnesses": list(witnesses),
    }


def test_a_certificate_is_written_out_branch_by_branch():
    document = certificate()
    page = Page(proof_html(document))
    names, assumed = document["variables"], [s for s in document["steps"] if "assume" in s]
    assert f"For all integers {', '.join(names)}:" in page.text
    for number, step in enumerate(assumed, 1):
        assert f"H{number}{pretty(step['assume'])}" in page.text
    last = document["steps"][-1]
    assert f"{len(last['proofs'])} branches refuted" in page.text
    assert page.text.count(" = −1") >= len(last["proofs"])
    assert page.count("table") == 1
    assert page.count("tr") == 1 + len(document["witnesses"])


def test_what_the_code_settled_is_not_proved_at_length():
    steps = [{"show": "0 == 0", "proofs": [[[1, 0]], [[1, 0]]]}]
    text = Page(proof_html(wrapped(["n"], steps, {"n": 0}))).text
    assert "0 = 0 (settled while symconv’s code ran" in text
    assert "refuted" not in text


def test_definitions_forks_and_contradictions_are_written_out():
    steps = [
        {"assume": "n >= 1"},
        {"define": ["q_1", "r_1"], "dividend": "n", "divisor": "2", "proofs": [[[1, 1]]]},
        {"show": {"any": ["n >= 1", "n <= -1"]}, "proofs": [[[1, 0], [1, 4]]]},
        {
            "fork": "n >= 0",
            # r ≤ 1 and q ≤ −1 would make n = 2q + r negative.
            "true": [{"show": "q_1 >= 0", "proofs": [
                [[1, 0], [1, 3], [2, 6], ["-1", 1]], [[1, 0], [1, 4]]
            ]}],
            "false": [{"impossible": True, "proofs": [[[1, 0], [1, 5]], [[1, 0], [1, 5]]]}],
        },
    ]  # fmt: skip
    text = Page(proof_html(wrapped(["n"], steps, {"n": 1}))).text
    assert "D1q₁ = ⌊n / 2⌋: n = 2·q₁ + r₁" in text
    assert "0 ≤ r₁ < 2" in text
    assert "the divisor is at least 1: 1 branch refuted" in text
    assert "F1n ≥ 0If it holds:" in text
    assert "If it does not:This cannot be: the facts contradict each other." in text
    assert "[4]−n − 1 ≥ 0C1, case 2 of 2" in text
    assert "[0] + [3] + 2·[6] − [1] = −2" in text


def test_splits_are_nested_cases_and_sums_are_checked():
    split = {"split": "a", "yes": [[1, 0], [1, 1]], "no": [[1, 0], [1, 1]]}
    steps = [{"show": "a*a >= 0", "proofs": [split]}]
    # a ≥ 0 and a² ≤ −1: a·a + (−a² − 1) = −1; a ≤ −1: (−a−1)² + 2(−a−1) + (−a² − 1) = −2.
    split["yes"] = [[1, 1, 1], [1, 0]]
    split["no"] = [[1, 1, 1], [2, 1], [1, 0]]
    page = Page(proof_html(wrapped(["a"], steps, {"a": 0})))
    assert "either [1] a ≥ 0[1]·[1] + [0] = −1" in page.text
    assert "or [1] −a − 1 ≥ 0[1]·[1] + 2·[1] + [0] = −2" in page.text


def test_coefficients_that_are_polynomials_keep_their_signs():
    steps = [
        {"assume": "x == y"},
        {"show": "x*x == y*y", "proofs": [[[1, 1], ["-x - y", 0]], [[1, 1], ["x + y", 0]]]},
    ]
    text = Page(proof_html(wrapped(["x", "y"], steps, {"x": 1, "y": 1}))).text
    assert "[1] + (−x − y)·[0] = −1" in text
    assert "[1] + (x + y)·[0] = −1" in text
    minus = [{"assume": "x == 0"}, {"show": "x >= 0", "proofs": [[["-1", 0], [1, 1]]]}]
    minus[1]["proofs"] = [[["1", 0], [1, 1]]]
    assert "[0] + [1] = −1" in Page(proof_html(wrapped(["x"], minus, {"x": 0}))).text
    plus = [{"assume": "x == 0"}, {"show": "x <= 0", "proofs": [[[1, 1], ["-1", 0]]]}]
    assert "[1] − [0] = −1" in Page(proof_html(wrapped(["x"], plus, {"x": 0}))).text


def test_equal_refutations_are_written_once():
    choices = [{"any": [f"a{n} == 0", f"a{n} == 1"]} for n in range(6)]
    names = [f"a{n}" for n in range(6)]
    proof = [[1, 0], [1, 7]]
    steps = [{"assume": "b >= 0"}, *({"assume": choice} for choice in choices)]
    steps.append({"show": "b >= 0", "proofs": [proof] * 64})
    text = Page(proof_html(wrapped(["b", *names], steps, dict.fromkeys(["b", *names], 0)))).text
    assert "64 branches refuted1–64[0]b ≥ 0H1[7]−b − 1 ≥ 0negated[0] + [7] = −1" in text


def test_endless_proofs_are_cut_and_the_certificate_is_not():
    names = [f"a{n}" for n in range(300)]
    steps: list[Any] = [{"assume": f"{name} >= 0"} for name in names]
    proofs = [[[1, number], [1, 300]] for number in range(300)]
    steps.append({"show": {"all": [f"{name} >= -1" for name in names]}, "proofs": proofs})
    proof = proof_html(wrapped(names, steps, dict.fromkeys(names, 7)))
    left = re.search(r"([0-9]+) more in the certificate itself", proof)
    assert left is not None
    assert 0 < int(left[1]) < 300
    assert len(proof) < MAX_WRITTEN + 60_000


def test_a_rejected_certificate_is_said_to_be_rejected():
    document = certificate()
    broken = copy.deepcopy(document)
    broken["steps"][-1]["proofs"][0] = [[1, 0]]
    assert "does not come to a negative number" in proof_html(broken)
    assert "accepted" in proof_html(document)


# ---------------------------------------------------------------------------------------------
# Counterexamples


def test_a_case_is_a_table_and_a_drawing():
    page = Page(case_html({"s": 2, "K": 3, "n": 5, "lo": -1, "o": 1, "k": 2, "i": 5}))
    assert page.count("table") == 1
    assert page.count("svg", role="img") == 1
    assert page.count("title") > 3
    assert page.count("desc") == 1
    assert "What each window reads: K = 3, s = 2, lo = −1, n = 5" in page.text
    assert case_html(None) == ""
    assert "case" in case_html("what is no mapping")


@pytest.mark.parametrize(
    ("case", "what"),
    [
        ({"K": 2, "n": 3}, "What each window reads: K = 2, n = 3"),
        ({"K": 2, "n_in": 3, "d": 2, "hi": 1}, "What each window reads: K = 2, d = 2, hi = 1"),
        ({"K": 2, "n": 3, "op": 1, "o": 0}, "What each window reads: K = 2, n = 3"),
        ({"K": 2, "n": 3, "op": 1, "b": 1}, "What each window reads: K = 2, b = 1, n = 3"),
        ({"K": 2, "n": 3, "op": 1}, "Where each sample of the transposed"),
        ({"K": 2, "n": 3, "op": 1, "i": 0, "y": 1}, "Where each sample of the transposed"),
        ({"K": 2, "n": 3, "i": 0, "y": 1}, "Where each sample of the transposed"),
    ],
)
def test_axis_parameters_make_an_axis(case, what):
    assert what in drawing(case)


@pytest.mark.parametrize(
    "case",
    [
        {"s": 2, "n": 3},
        {"K": 2, "s": 1},
        {"K": 2, "n": 3, "s": 0},
        {"K": 0, "n": 3},
        {"K": 2, "n": -1},
        {"K": 2, "n": 3, "b": -2},
        {"K": 2, "n": 0, "lo": 3, "i": 0, "y": 0},
        {"K": 2, "n": 10**6},
    ],
)
def test_what_makes_no_axis_is_drawn_as_bars(case):
    assert "window" not in drawing(case)
    assert "<svg" in drawing(case)


def test_a_case_without_integers_is_not_drawn():
    assert drawing({"mode": "circular", "flag": True, "sizes": [1, 2]}) == ""


def test_long_values_are_listed_line_by_line():
    assert 'scope="row"' in table_html([{"n": 1, "differs": {"first": [16, 4, 5, 6], "second": 1}}])
    assert 'scope="col"' in table_html([{"n": 1, "differs": [1]}])
    assert 'scope="col"' in table_html([{"n": "x" * 99}, {"n": "y"}])


def drawn(svg: str) -> set[tuple[int, int, bool]]:
    """(output, tap, whether it reads a sample) of every dot that the picture explains."""
    tips = re.findall(r"<title>output (\d+) reads ([^<]*?) through tap (\d+)</title>", svg)
    return {(int(o), int(k), bool(re.match(r"sample \d+\Z", what))) for o, what, k in tips}


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("padding", [(0, 0), (2, 1), (-1, 2), (1, -2)])
@pytest.mark.parametrize("spread", [1, 2])
def test_dots_are_the_triples_of_naive_loops(stride, dilation, padding, spread):
    n, n_taps = 5, 3
    # Zeros between the samples, padding or cropping: a list of sample numbers, None for a zero.
    line: list[int | None] = []
    for i in range(n):
        line += [i] if i == n - 1 else [i] + [None] * (spread - 1)
    for end, amount in enumerate(padding):
        for _ in range(abs(amount)):
            if amount > 0:
                line.insert(0 if end == 0 else len(line), None)
            else:
                line.pop(0 if end == 0 else -1)
    expected, o = set(), 0
    while stride * o + dilation * (n_taps - 1) < len(line):
        for k in range(n_taps):
            expected.add((o, k, line[stride * o + dilation * k] is not None))
        o += 1
    relation = AxisRelation(n_taps, stride, dilation, *padding, spread)
    assert drawn(axis_svg(relation, n)) == expected
    assert o == oracles.conv_size(n, n_taps, stride, dilation, *padding, spread)


def test_rows_of_a_transposed_axis_are_samples():
    svg = axis_svg(AxisRelation(3, 2), 5, 2, transposed=True)
    tips = re.findall(r"sample (\d) writes to output (\d) through tap (\d)", svg)
    assert tips == [(str(i), str(2 * i + k), str(k)) for i in range(2) for k in range(3)]


def test_large_axes_are_cut_and_said_to_be():
    svg = axis_svg(AxisRelation(3, 1), 1000)
    assert f"the first {MAX_ROWS} of 998 outputs are drawn" in svg
    assert f"drawn up to position {MAX_COLUMNS - 1}" in svg
    assert len(svg) < 60_000
    assert len(axis_svg(AxisRelation(10**9, 1, 10**9, 10**18, 10**18), 3)) < 60_000


def test_marks_point_at_taps_and_samples():
    plain = axis_svg(AxisRelation(2), 3)
    marked = axis_svg(AxisRelation(2), 3, marked=[(1, 0)], marked_samples=[1])
    assert marked.count('r="8"') == 1
    assert plain.count('r="8"') == 0
    assert marked.count("<path") == plain.count("<path") + 1


def test_kinds_of_cells_differ_in_more_than_colour():
    svg = axis_svg(AxisRelation(2, 1, 1, 1, -1, 2), 3, title="A <b> & c")
    for said in (
        "padding at −1",
        "inserted zero at 1",
        "sample 2 (cropped)",
        "A &lt;b&gt; &amp; c",
    ):
        assert said in svg
    assert svg.count("stroke-dasharray") >= 2


def test_an_axis_where_nothing_fits_says_so():
    assert "no window fits the axis" in axis_svg(AxisRelation(5), 3)
    assert "the axis is empty" in axis_svg(AxisRelation(1), 0)
    assert "there are no samples" in axis_svg(AxisRelation(1), 2, 0, transposed=True)


@pytest.mark.parametrize(
    ("relation", "n_in", "n_out"),
    [
        (AxisRelation(0), 3, None),
        (AxisRelation(2, 0), 3, None),
        (AxisRelation(2, 1, 1, 0, 0, 0), 3, None),
        (AxisRelation(2), -1, None),
        (AxisRelation(2), 3, -1),
    ],
)
def test_what_is_no_axis_is_refused(relation, n_in, n_out):
    with pytest.raises(ParameterError, match="at least"):
        axis_svg(relation, n_in, n_out)


def test_bars_go_both_ways_and_are_limited():
    svg = bars_svg({"n": 2, "lo <b>": -3})
    assert "n = 2, lo &lt;b&gt; = −3" in svg
    assert svg.count("<rect") == 2
    many = bars_svg({f"x{n}": n for n in range(MAX_BARS + 4)})
    assert "and 4 more" in many
    assert many.count("<rect") == MAX_BARS
    assert "<svg" in bars_svg({})
