"""Records kept line by line as they are made, so that an interrupted run goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symconv.errors import FileError

__all__ = ["Journal"]

#: Longest journal that is read.
MAX_BYTES = 2**30


class Journal:
    """A file of JSON lines: a header that names what the records depend on, then the records.

    Each record is on disk before `add` returns to the caller's loop; a line that was cut off is
    passed over.

    Parameters
    ----------
    path : Path
        A new file, or one that an earlier run left.
    header : mapping
        What the records depend on. Records under another header are not taken: they stay in the
        file, and are found in `foreign`, until `restart`.

    Attributes
    ----------
    records : list of dict
        Those of the earlier run.
    foreign : dict or None
        The header of another run, whose file this is.

    Raises
    ------
    FileError
        If the file cannot be read or written, or is no journal.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "journal.jsonl"
    >>> Journal(path, {"seed": 0}).add({"number": 1})
    >>> Journal(path, {"seed": 0}).records
    [{'number': 1}]
    >>> other = Journal(path, {"seed": 2})
    >>> other.records, other.foreign
    ([], {'seed': 0})
    """

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        self.path, self.header = path, dict(header)
        self.records: list[dict[str, Any]] = []
        self.foreign: dict[str, Any] | None = None
        lines = self._lines()
        if not lines:
            self.restart()
            return
        first = _record(lines[0])
        if first is None:
            raise FileError(f"journal must begin with a line that an earlier run wrote, got {path}")
        if first != self.header:
            self.foreign = first
            return
        self.records = [record for line in lines[1:] if (record := _record(line)) is not None]
        if not self._ends_whole():
            # What is added must not join a line that was cut off.
            self._write("\n", "a")

    def restart(self) -> None:
        """Begin the file anew."""
        self.records, self.foreign = [], None
        self._write(_line(self.header), "w")

    def add(self, record: Mapping[str, Any]) -> None:
        """Keep one record."""
        self._write(_line(record), "a")

    def close(self) -> None:
        """Remove the file: nothing is left to resume."""
        self.path.unlink(missing_ok=True)

    def _lines(self) -> list[str]:
        try:
            if not self.path.exists():
                return []
            if self.path.stat().st_size > MAX_BYTES:
                raise FileError(f"journal must have at most {MAX_BYTES} bytes, got {self.path}")
            return self.path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            raise FileError(f"journal must be UTF-8 text, got {self.path}") from None
        except OSError as error:
            raise FileError(f"journal must be readable: {error.strerror or error}") from None

    def _ends_whole(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, 2)
            return file.read(1) == b"\n"

    def _write(self, text: str, mode: str) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open(mode, encoding="utf-8", newline="\n") as file:
                file.write(text)
        except OSError as error:
            raise FileError(f"journal must be writable: {error.strerror or error}") from None


def _line(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


def _record(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
