"""Where theorems and certificates lie: ``proofs/`` beside the package, or inside the wheel."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from symconv.errors import FileError
from symconv.files import write_atomically
from symconv.proving import checker

__all__ = [
    "certificate_path",
    "certificate_paths",
    "proofs_directory",
    "read_certificate",
    "write_certificate",
]


@cache
def proofs_directory() -> Path:
    """The directory of the theorems."""
    package = Path(__file__).parents[1]
    for directory in (package / "_proofs", package.parent / "proofs"):
        if (directory / "certificates").is_dir():
            return directory
    raise FileError("the theorems are not installed: there is no directory of proofs")


def certificate_path(identifier: str) -> Path:
    """The file of a theorem's certificate."""
    return proofs_directory() / "certificates" / f"{identifier}.json"


def certificate_paths() -> list[Path]:
    """The files of all certificates, by name."""
    return sorted((proofs_directory() / "certificates").glob("*.json"))


def read_certificate(identifier: str) -> Any:
    """The stored certificate of a theorem, not yet checked; None where there is none."""
    try:
        data = certificate_path(identifier).read_bytes()
    except OSError:
        return None
    return checker.read(data)


def write_certificate(document: dict[str, Any]) -> Path:
    """Store a certificate under the name of its theorem."""
    path = certificate_path(document["theorem"])
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))
    return path
