"""The ledger: every theorem with its verdict, decided anew, in parallel, resumed after a break."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import json
import os
import queue
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import sympy

from symconv import __version__, checks
from symconv.errors import FileError, ParameterError
from symconv.proving import checker
from symconv.proving.collecting import chosen, theorems
from symconv.proving.store import certificate_path, proofs_directory
from symconv.proving.theorem import ALL_SIZES, Decision, Theorem
from symconv.verdict import REFUTED, Verdict, undecided

__all__ = ["FORMAT", "Ledger", "Row", "fingerprint", "prove"]

FORMAT = "symconv ledger 1"

#: Under a theorem's first line; what goes on is set in a little further.
_INDENTED: dict[str, Any] = {"initial_indent": " " * 10, "subsequent_indent": " " * 12}


@dataclass(frozen=True)
class Row:
    """One theorem of the ledger, in plain data.

    Attributes
    ----------
    identifier, subject, words, latex, source, remark, concludes, corollary_of, expected : str
        As declared (`symconv.proving.Theorem`).
    scope : str
        "all sizes", "all values at stated sizes", "exhaustive over a stated box" or "none".
    method : str
    verdict : {"PROVED", "REFUTED", "UNDECIDED"}
    as_expected : bool
        Whether the verdict is the expected one and the near miss is refuted.
    reason : str
    counterexample : dict or None
    near_miss : dict or None
        ``words``, ``verdict``, ``reason`` and ``counterexample``.
    certificate : dict or None
        ``bytes``, ``shown``, ``products`` and the ``document``.
    definition : str
        The Python source that states it.
    seconds : float
    """

    identifier: str
    subject: str
    words: str
    latex: str
    source: str
    remark: str
    concludes: str
    corollary_of: str
    expected: str
    scope: str
    method: str
    verdict: str
    as_expected: bool
    reason: str
    counterexample: Any
    near_miss: Any
    certificate: Any
    definition: str
    seconds: float

    def __str__(self) -> str:
        facts = [self.scope, self.method]
        if self.certificate:
            facts.append(f"{self.certificate['bytes']} bytes")
        facts.append(f"{self.seconds:.2f} s")
        mark = "" if self.as_expected else "  NOT AS EXPECTED"
        details = [self.words]
        if self.verdict != "PROVED" or not self.as_expected:
            details.append(self.reason)
        if self.counterexample is not None:
            details.append(f"counterexample: {_listed(self.counterexample)}")
        if self.remark:
            details.append(self.remark)
        if self.near_miss is not None:
            near = self.near_miss
            found = f" at {_listed(near['counterexample'])}" if near["counterexample"] else ""
            details.append(f"near miss {near['verdict'].lower()}{found}: {near['words']}")
        details.append(f"[{self.source}]")
        lines = [f"{self.verdict:<9} {self.identifier}  ({', '.join(facts)}){mark}"]
        lines += [textwrap.fill(part, 98, **_INDENTED) for part in details]
        return "\n".join(lines)


def _listed(values: Any) -> str:
    if isinstance(values, Mapping):
        return ", ".join(f"{name} = {value}" for name, value in values.items())
    return str(values)


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
        own = [row for row in self.rows if not row.corollary_of]
        parts = [
            f"{count} {status}"
            for status in ("PROVED", "REFUTED", "UNDECIDED")
            if (count := sum(row.verdict == status for row in own))
        ]
        everywhere = [row for row in own if row.scope == ALL_SIZES and row.verdict == "PROVED"]
        triples = sum(row.concludes == "triples" for row in everywhere)
        corollaries = len(self.rows) - len(own)
        others = [row.identifier for row in self.rows if not row.as_expected]
        text = f"{len(own)} theorem{'s' * (len(own) != 1)}"
        if corollaries:
            text += f" and {corollaries} corollar{'ies' if corollaries > 1 else 'y'}"
        text += f": {', '.join(parts) or 'none decided'}; {len(everywhere)} for all sizes, "
        text += f"{triples} on sets of triples; "
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


def _plain(value: Any) -> Any:
    """A counterexample as JSON."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (np.integer, sympy.Integer)):
        return int(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return str(value)


def decided(theorem: Theorem) -> Row:
    """The row of a theorem; whatever goes wrong in deciding it is a verdict too."""
    begin = time.perf_counter()
    try:
        decision = theorem.decide()
    except Exception as error:  # one theorem's failure must not hide the others
        reason = f"deciding it raised {type(error).__name__}: {error}"
        decision = Decision(undecided(theorem.method.scope, reason))
    return _row(theorem, decision, round(time.perf_counter() - begin, 4))


def _row(theorem: Theorem, decision: Decision, seconds: float) -> Row:
    certificate = None
    if decision.certificate is not None:
        found = checker.check(decision.certificate)
        certificate = {
            "bytes": certificate_path(theorem.identifier).stat().st_size,
            "shown": found["shown"],
            "products": found["products"],
            "document": decision.certificate,
        }
    return Row(
        identifier=theorem.identifier,
        subject=theorem.subject,
        words=theorem.words,
        latex=theorem.latex,
        source=theorem.source,
        remark=theorem.remark,
        concludes=theorem.concludes,
        corollary_of=theorem.corollary_of,
        expected=theorem.expected,
        scope=theorem.method.scope,
        # What refutes is the counterexample, whatever would have proved.
        method="counterexample" if decision.verdict.status == REFUTED else theorem.method.name,
        verdict=decision.verdict.status,
        as_expected=theorem.is_as_expected(decision),
        reason=decision.verdict.reason,
        counterexample=_plain(decision.verdict.counterexample),
        near_miss=_near(theorem, decision.near_miss),
        certificate=certificate,
        definition=_source(theorem),
        seconds=seconds,
    )


def _near(theorem: Theorem, verdict: Verdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    return {
        "words": theorem.near_miss,
        "verdict": verdict.status,
        "reason": verdict.reason,
        "counterexample": _plain(verdict.counterexample),
    }


def _source(theorem: Theorem) -> str:
    if theorem.definition is None:
        return ""
    try:
        return inspect.getsource(theorem.definition)
    except OSError:
        return ""


def _decided_by_name(identifier: str) -> Row:
    return decided(theorems()[identifier])


def fingerprint() -> str:
    """A digest of all that verdicts depend on: the code, the theorems, the libraries' versions."""
    digest = hashlib.sha256(f"{__version__} {np.__version__} {sympy.__version__}".encode())
    package = Path(__file__).parents[1]
    for root, kinds in ((package, ("*.py",)), (proofs_directory(), ("*.py", "*.json"))):
        for path in sorted(found for kind in kinds for found in root.rglob(kind)):
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


class Journal:
    """Rows written as they are decided, so that an interrupted run goes on where it was.

    The first line names what the rows depend on; rows of other code are forgotten.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[str, Row] = {}
        header = json.dumps({"fingerprint": fingerprint()})
        lines = self._lines()
        if lines[:1] == [header]:
            for line in lines[1:]:
                try:
                    row = Row(**json.loads(line))
                except (ValueError, TypeError):
                    continue  # a line that was cut off
                self.rows[row.identifier] = row
        else:
            self._write(header + "\n", "w")

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return []

    def _write(self, text: str, mode: str) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open(mode, encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise FileError(f"journal must be writable: {error.strerror}") from None

    def add(self, row: Row) -> None:
        """Keep one row."""
        self._write(json.dumps(asdict(row), ensure_ascii=False) + "\n", "a")

    def close(self) -> None:
        """Nothing is left to resume."""
        self.path.unlink(missing_ok=True)


def prove(
    ids: Iterable[str] | None = None,
    *,
    subject: str | None = None,
    workers: int = 1,
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
        For an identifier or a subject that does not exist.

    Examples
    --------
    >>> print(prove(["transposed.zero-insertion"]).rows[0].verdict)
    PROVED
    """
    if isinstance(ids, str):
        raise ParameterError(f"ids must be a sequence of identifiers, got the text {ids!r}")
    wanted = [theorem.identifier for theorem in chosen(ids, subject)]
    count = checks.integer("workers", workers, 1)
    book = Journal(Path(journal)) if journal is not None else None
    rows: dict[str, Row] = {}

    def keep(row: Row, *, fresh: bool) -> None:
        rows[row.identifier] = row
        # What went wrong is decided again next time.
        if book is not None and fresh and row.as_expected:
            book.add(row)
        if on_row is not None:
            on_row(row, len(rows), len(wanted))

    for identifier in wanted:
        if book is not None and identifier in book.rows:
            keep(book.rows[identifier], fresh=False)
    left = [identifier for identifier in wanted if identifier not in rows]
    for row in _decided_all(left, min(count, max(len(left), 1))):
        keep(row, fresh=True)
    if book is not None:
        book.close()
    return Ledger(tuple(rows[identifier] for identifier in wanted))


def _decided_all(identifiers: list[str], workers: int) -> Iterator[Row]:
    """Rows as they come."""
    if workers == 1:
        yield from map(_decided_by_name, identifiers)
        return
    left, found = queue.SimpleQueue[str](), queue.SimpleQueue[Row]()
    for identifier in identifiers:
        left.put(identifier)
    processes: list[subprocess.Popen[str]] = []
    threads = [
        threading.Thread(target=_serve, args=(processes, left, found), daemon=True)
        for _ in range(workers)
    ]
    try:
        for thread in threads:
            thread.start()
        for _ in identifiers:
            yield found.get()
    finally:
        # After an interruption too: no process goes on for nobody.
        with contextlib.suppress(queue.Empty):
            while True:
                left.get_nowait()
        for process in tuple(processes):
            process.kill()
        for thread in threads:
            thread.join()
        for process in processes:
            process.kill()
            # Closing a pipe to a process that is gone may find unsent text.
            with contextlib.suppress(OSError), process:
                pass


def _worker() -> subprocess.Popen[str]:
    """A process of `symconv.proving.worker`."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    environment["PYTHONIOENCODING"] = "utf-8"
    return subprocess.Popen(
        [sys.executable, "-m", "symconv.proving.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
        # Ctrl-C is for the caller, who ends them.
        start_new_session=True,
    )


def _serve(
    processes: list[subprocess.Popen[str]],
    left: queue.SimpleQueue[str],
    found: queue.SimpleQueue[Row],
) -> None:
    """Hand theorems to one process as long as there are any; a dead one is replaced."""
    process = None
    while True:
        try:
            identifier = left.get_nowait()
        except queue.Empty:
            return
        if process is None:
            process = _worker()
            processes.append(process)
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - pipes
        try:
            print(identifier, file=process.stdin, flush=True)
            line = process.stdout.readline()
        except (OSError, ValueError):
            line = ""
        if line:
            found.put(Row(**json.loads(line)))
            continue
        reason = f"the process that decided it ended (exit status {process.wait()})"
        theorem = theorems()[identifier]
        found.put(_row(theorem, Decision(undecided(theorem.method.scope, reason)), 0.0))
        process = None
