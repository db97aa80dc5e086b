"""Files of `docs/generated`: written only when they change, so that a second build is short."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]
GENERATED = DOCS / "generated"


def write_folder(name: str, files: Mapping[str, str | bytes]) -> None:
    """Make `docs/generated/NAME` hold these files and no others.

    Keys are file names without folders.
    """
    folder = GENERATED / name
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in files:
            path.unlink()
    _write(folder, files)


def write_files(files: Mapping[str, str | bytes]) -> None:
    """Put files beside the site's pages, as they stand (Sphinx's `html_extra_path`)."""
    folder = GENERATED / "files"
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder, files)


def _write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for file_name, text in files.items():
        path = folder / file_name
        data = text.encode() if isinstance(text, str) else text
        if not path.exists() or path.read_bytes() != data:
            path.write_bytes(data)
