"""The machinery that plants mistakes: what it changes, what it calls the same, what is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from mutating import Mutant, mutants, same, source_of

SCRIPT = Path(__file__).with_name("mutate_ledger.py")
TOY = '''
"""A module."""
from typing import Any

@decorated(True)
class Toy:
    size: int = 3

    def area(self, n: tuple[0, 1], by: int = 2) -> Any:
        """Not 1 but 2."""
        if not n < by and self.pad_lo:
            total += n
            total += n
            raise ValueError(f"{n + 1}")
        return -(n // by) if n == by else True
'''


def test_what_is_changed():
    found = [mutant.name.removeprefix("toy.Toy") for mutant in mutants("toy", TOY)]
    assert len(found) == len(set(found))
    assert sorted(found) == sorted(
        [
            ": size: int = 4",
            ": size: int = 2",
            ".area: def area(self, n: tuple[0, 1], by: int=3)",
            ".area: def area(self, n: tuple[0, 1], by: int=1)",
            ".area: if not (not n < by and self.pad_lo):",
            ".area: if not n < by or self.pad_lo:",
            ".area: if n < by and self.pad_lo:",
            ".area: if not n <= by and self.pad_lo:",
            ".area: if not n < by and self.pad_hi:",
            ".area: total -= n",
            ".area: total *= n",
            ".area: pass",
            ".area: total -= n (again)",
            ".area: total *= n (again)",
            ".area: pass (again)",
            ".area: return -(n // by) if not n == by else True",
            ".area: return n // by if n == by else True",
            ".area: return -(n * by) if n == by else True",
            ".area: return --(-n // by) if n == by else True",
            ".area: return -(n // by) if n != by else True",
            ".area: return -(n // by) if n == by else False",
        ]
    )


def test_each_mutant_differs_in_one_place():
    source = source_of("relation").read_text(encoding="utf-8")
    plain = next(iter(mutants("relation", source)))
    assert plain.name == "relation.AxisRelation: stride: Index = 2"
    assert plain.before == "stride: Index = 1"
    for mutant in mutants("relation", source):
        compile(mutant.source, "mutant", "exec")
        lines = zip(plain.source.splitlines(), mutant.source.splitlines(), strict=True)
        assert sum(one != other for one, other in lines) <= 2


FORMULA = "return self.stride * o + self.dilation * k - self.pad_lo"


@pytest.mark.parametrize(
    ("text", "is_same"),
    [
        ("return self.dilation * k - (self.pad_lo - o * self.stride)", True),
        ("return self.stride * o + self.dilation * k - self.pad_hi", False),
        ("return self.stride * o + self.dilation * (k or 0) - self.pad_lo", False),
    ],
)
def test_the_same_function_is_recognised(text, is_same):
    source = source_of("relation").read_text(encoding="utf-8")
    assert source.count(FORMULA) == 1
    mutant = Mutant("relation", "position", FORMULA, source.replace(FORMULA, text))
    difference = same(mutant)
    assert (difference == "") == is_same
    if not is_same:
        assert difference.startswith("case ")


def test_the_same_sizes_are_recognised():
    source = source_of("shapes").read_text(encoding="utf-8")
    mutant = Mutant("shapes", "none", "", source)
    assert same(mutant) == ""
    changed = source.replace("relation.stride - 1)", "relation.stride)")
    assert changed != source
    assert "becomes" in same(replace(mutant, source=changed))


def run(*arguments):
    return subprocess.run(
        [sys.executable, str(SCRIPT), "--no-near-misses", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_mutant_of_the_relation_is_killed(tmp_path):
    file = tmp_path / "outcomes.json"
    only = f"position: {FORMULA.replace('- self', '+ self')}"
    done = run("--module", "relation", "--subject", "relation", "--only", only, "--json", file)
    assert done.returncode == 0, done.stdout + done.stderr
    (outcome,) = json.loads(file.read_text())
    assert outcome["killed_by"].startswith("relation.")
    assert outcome["refuted"].startswith("relation.")
    assert outcome["before"] == FORMULA
    assert "1 mutants: 1 killed (by a counterexample 1), 0 equivalent, 0 surviving" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_mutant_that_survives_is_told():
    # No theorem on kernels says anything about the sizes.
    only = "then: return (self.stride + later.stride"
    done = run("--module", "relation", "--subject", "kernels", "--only", only)
    assert done.returncode == 1
    assert f"SURVIVES relation.AxisRelation.{only}" in done.stdout


@pytest.mark.long
def test_every_mutant_is_killed_or_the_same():
    done = run()
    assert done.returncode == 0, done.stdout + done.stderr
