"""The ledger: every theorem with its verdict, decided anew, in parallel, resumed after a break."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache, partial
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import sympy

from symconv import __version__, checks
from symconv.cluster import check_client
from symconv.errors import FileError, ParameterError
from symconv.journal import Journal
from symconv.proving.collecting import chosen
from symconv.proving.rows import Row
from symconv.proving.sharing import decided_all, decided_by_name, decided_on
from symconv.proving.store import proofs_directory
from symconv.proving.theorem import ALL_SIZES

__all__ = ["FORMAT", "Ledger", "check_code", "fingerprint", "prove"]

FORMAT = "symconv ledger 1"


@dataclass(frozen=True)
class Ledger:
    """Verdicts on theorems; true when every one is as expected.

    Examples
    --------
    >>> ledger = prove(["transposed.zero-insertion"])
    >>> bool(ledger), ledger["transposed.zero-insertion"].scope
    (True, 'all sizes')
    >>> print(ledger.summary())
    1 theorem: 1 PROVED; 1 for all sizes, 1 on sets of triples; all as expected
    """

    rows: tuple[Row, ...]

    def __bool__(self) -> bool:
        return all(row.as_expected for row in self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __getitem__(self, identifier: str) -> Row:
        for row in self.rows:
            if row.identifier == identifier:
                return row
        raise KeyError(identifier)

    def summary(self) -> str:
        """The numbers in one line; corollaries are counted apart."""
        theorems = [row for row in self.rows if not row.corollary_of]
        own = theorems or self.rows
        parts = [
            f"{count} {status}"
            for status in ("PROVED", "REFUTED", "UNDECIDED")
            if (count := sum(row.verdict == status for row in own))
        ]
        everywhere = [row for row in own if row.scope == ALL_SIZES and row.verdict == "PROVED"]
        triples = sum(row.concludes == "triples" for row in everywhere)
        corollaries = len(self.rows) - len(theorems)
        others = [row.identifier for row in self.rows if not row.as_expected]
        counted = []
        if theorems or not corollaries:
            counted.append(f"{len(theorems)} theorem{'s' * (len(theorems) != 1)}")
        if corollaries:
            counted.append(f"{corollaries} corollar{'ies' if corollaries > 1 else 'y'}")
        text = f"{' and '.join(counted)}: {', '.join(parts) or 'none decided'}; "
        text += f"{len(everywhere)} for all sizes, {triples} on sets of triples; "
        return text + ("all as expected" if not others else f"NOT as expected: {', '.join(others)}")

    def data(self) -> dict[str, Any]:
        """The ledger as plain data, as `json` writes it."""
        rows = [asdict(row) for row in self.rows]
        return {"format": FORMAT, "version": __version__, "theorems": rows}

    def json(self) -> str:
        """The ledger as JSON: each theorem with its scope and verdict."""
        return json.dumps(self.data(), indent=1, ensure_ascii=False) + "\n"

    def __str__(self) -> str:
        return "\n\n".join([*map(str, self.rows), self.summary()])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(row.identifier)}</td><td>{escape(row.words)}</td>"
            f"<td>{row.verdict}</td><td>{escape(row.scope)}</td></tr>"
            for row in self.rows
        )
        heads = "".join(f"<th>{head}</th>" for head in ("theorem", "statement", "verdict", "scope"))
        return f"<p>{escape(self.summary())}</p><table><tr>{heads}</tr>{rows}</table>"


def fingerprint() -> str:
    """A digest of all that verdicts depend on: the code, the theorems, the libraries' versions."""
    digest = hashlib.sha256(f"{__version__} {np.__version__} {sympy.__version__}".encode())
    package = Path(__file__).parents[1]
    for root, kinds in ((package, ("*.py",)), (proofs_directory(), ("*.py", "*.json"))):
        for path in sorted(found for kind in kinds for found in root.rglob(kind)):
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


_own_fingerprint = cache(fingerprint)


def check_code(expected: str) -> None:
    """Refuse to work for a client of another `fingerprint`."""
    if _own_fingerprint() != expected:
        raise ParameterError("client must have workers with the same code, theorems and libraries")


def decided_like(identifier: str, expected: str) -> Row:
    """The row of one theorem, decided on a worker that must run the same code."""
    check_code(expected)
    return decided_by_name(identifier)


def _opened(path: Path) -> tuple[Journal, dict[str, Row]]:
    """The journal of a ledger, and the rows that it has; those of other code are forgotten."""
    book = Journal(path, {"fingerprint": fingerprint()})
    if book.foreign is not None:
        if set(book.foreign) != set(book.header):
            raise FileError(f"journal must be of a ledger, got another's in {path}")
        book.restart()
    rows = {}
    for record in book.records:
        # What another program wrote is no row, and is decided again.
        with contextlib.suppress(TypeError):
            rows[str(record.get("identifier"))] = Row(**record)
    return book, rows


def prove(
    ids: Iterable[str] | None = None,
    *,
    subject: str | None = None,
    workers: int = 1,
    client: Any = None,
    journal: str | os.PathLike[str] | None = None,
    on_row: Callable[[Row, int, int], None] | None = None,
) -> Ledger:
    """Decide theorems and return the ledger.

    Parameters
    ----------
    ids : iterable of str, optional
        Identifiers; all theorems without it.
    subject : str, optional
        Only the theorems of this subject (a file of ``proofs/``).
    workers : int, default 1
        Processes that share the work.
    client : distributed.Client, optional
        A Dask cluster that shares the work instead (extra ``dask``). Its workers must have the
        same code; one that dies costs nothing.
    journal : path, optional
        Rows are kept in this file as they are decided, and taken from it when the code, the
        theorems and the libraries are the same; it is removed at the end.
    on_row : callable, optional
        Called with each row, the number decided and the number in all.

    Returns
    -------
    Ledger
        In the order of the files; true when every verdict is as expected.

    Raises
    ------
    ParameterError
        For an identifier or a subject that does not exist, a client that is closed, or workers
        with other code.
    ClusterError
        If the cluster is lost.

    Examples
    --------
    >>> print(prove(["transposed.zero-insertion"]).rows[0].verdict)
    PROVED
    """
    if isinstance(ids, str):
        raise ParameterError(f"ids must be a sequence of identifiers, got the text {ids!r}")
    wanted = [theorem.identifier for theorem in chosen(ids, subject)]
    count = checks.integer("workers", workers, 1)
    if client is not None:
        if count != 1:
            raise ParameterError(f"workers must be left out with a client, got {workers}")
        check_client(client)
    book, known = _opened(Path(journal)) if journal is not None else (None, {})
    rows: dict[str, Row] = {}

    def keep(row: Row, *, fresh: bool) -> None:
        rows[row.identifier] = row
        # What went wrong is decided again next time.
        if book is not None and fresh and row.as_expected:
            book.add(asdict(row))
        if on_row is not None:
            on_row(row, len(rows), len(wanted))

    for identifier in wanted:
        if identifier in known:
            keep(known[identifier], fresh=False)
    left = [identifier for identifier in wanted if identifier not in rows]
    if client is None:
        found = decided_all(left, min(count, max(len(left), 1)))
    else:
        found = decided_on(client, partial(decided_like, expected=fingerprint()), left)
    for row in found:
        keep(row, fresh=True)
    if book is not None:
        book.close()
    return Ledger(tuple(rows[identifier] for identifier in wanted))
