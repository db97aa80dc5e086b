"""The README's examples print what it says, and CI runs its test command."""

from __future__ import annotations

import doctest
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_examples():
    result = doctest.testfile(
        str(ROOT / "README.md"), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert result.attempted >= 12
    assert result.failed == 0


def test_the_two_commands_are_one_line_each():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [line for line in text.splitlines() if line.startswith("python3 -m venv")]
    assert len(commands) == 2
    assert commands[0].endswith("symconv prove")
    assert commands[1].endswith("./checks.sh")
    assert "<!-- test command -->" in text
