"""The theorems of ``proofs/``, one subject a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from symconv.errors import ParameterError
from symconv.proving.store import proofs_directory
from symconv.proving.theorem import Theorem

__all__ = ["chosen", "theorems"]


def _module(path: Path) -> ModuleType:
    name = f"symconv._proofs.{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None  # noqa: S101, PT018 - a .py file has one
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        # Half a module would be half its theorems the next time.
        del sys.modules[name]
        raise
    return module


@cache
def theorems() -> dict[str, Theorem]:
    """All theorems by identifier, in the order of the files and within them."""
    found: dict[str, Theorem] = {}
    for path in sorted(proofs_directory().glob("*.py")):
        for value in vars(_module(path)).values():
            if not isinstance(value, Theorem):
                continue
            if value.subject != path.stem:
                raise ParameterError(
                    f"identifier must start with {path.stem}., got {value.identifier}"
                )
            if found.setdefault(value.identifier, value) is not value:
                raise ParameterError(f"identifier must be new, got {value.identifier} twice")
    for theorem in found.values():
        if theorem.corollary_of and theorem.corollary_of not in found:
            raise ParameterError(
                f"corollary_of must name a theorem, got {theorem.corollary_of} "
                f"({theorem.identifier})"
            )
    return found


def chosen(identifiers: Iterable[str] | None = None, subject: str | None = None) -> list[Theorem]:
    """The theorems asked for, in the order of the ledger; all of them for None.

    Raises
    ------
    ParameterError
        For an identifier or a subject that no theorem has.
    """
    known = theorems()
    wanted = set(known) if identifiers is None else set(identifiers)
    if unknown := sorted(wanted - set(known)):
        raise ParameterError(f"identifiers must name theorems, got {', '.join(unknown)}")
    subjects = dict.fromkeys(theorem.subject for theorem in known.values())
    if subject is not None and subject not in subjects:
        raise ParameterError(f"subject must be one of {', '.join(subjects)}, got {subject!r}")
    return [
        theorem
        for theorem in known.values()
        if theorem.identifier in wanted and subject in (None, theorem.subject)
    ]
