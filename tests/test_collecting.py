"""Where theorems and certificates come from: files of proofs, and the store beside them."""

from __future__ import annotations

import sys
from copy import deepcopy

import pytest
from certificates_by_hand import simple

from symconv.errors import FileError, ParameterError
from symconv.proving import collecting, store
from symconv.proving.collecting import chosen, theorems
from symconv.proving.theorem import Theorem

HEAD = """
from symconv.proving import no_claim
def claim(name, **other):
    return no_claim(name, reason="r", words="w", latex="l", source="s", **other)
"""


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """A directory of proofs, and what is collected from it."""
    monkeypatch.setattr(collecting, "proofs_directory", lambda: tmp_path)

    def collected(**files):
        for stem, text in files.items():
            (tmp_path / f"{stem}.py").write_text(HEAD + text)
        return theorems.__wrapped__()

    yield collected
    for name in [name for name in sys.modules if name.startswith("symconv._proofs.room")]:
        del sys.modules[name]


def test_theorems_in_the_order_of_files_and_lines(directory):
    found = directory(
        room_b='one = claim("room_b.z")\ntwo = claim("room_b.a", corollary_of="room_a.x")',
        room_a='one = claim("room_a.x")\nsame = one',
    )
    assert list(found) == ["room_a.x", "room_b.z", "room_b.a"]
    assert all(isinstance(theorem, Theorem) for theorem in found.values())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('one = claim("room.x"); two = claim("room.x")', "must be new, got room.x twice"),
        ('one = claim("other.x")', "must start with room., got other.x"),
        ('one = claim("room.x", corollary_of="room.y")', r"must name a theorem, got room.y \(room"),
    ],
)
def test_bad_files(directory, text, message):
    with pytest.raises(ParameterError, match=message):
        directory(room=text)


def test_a_file_that_breaks_off_is_not_half_read(directory):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            directory(room='one = claim("room.x")\n1 / 0\ntwo = claim("room.y")')


def test_choosing():
    everything = chosen()
    assert [theorem.identifier for theorem in everything] == list(theorems())
    assert {theorem.subject for theorem in chosen(subject="transposed")} == {"transposed"}
    wanted = ["transposed.zero-insertion"]
    assert [theorem.identifier for theorem in chosen(wanted)] == wanted
    assert chosen(wanted, subject="relation") == []
    with pytest.raises(ParameterError, match=r"must name theorems, got a\.b, c\.d"):
        chosen(["c.d", *wanted, "a.b"])
    with pytest.raises(ParameterError, match=r"subject must be one of .*transposed.* got 'x'"):
        chosen(subject="x")


def test_certificates_are_written_and_read(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "certificate_path", lambda name: tmp_path / f"{name}.json")
    document = simple()
    path = store.write_certificate(deepcopy(document))
    assert path == tmp_path / "test.simple.json"
    assert store.read_certificate("test.simple") == document
    assert store.read_certificate("test.other") is None
    assert path.read_bytes().endswith(b"}\n")


def test_the_directory_of_proofs(monkeypatch):
    assert store.certificate_path("a.b").parent == store.proofs_directory() / "certificates"
    assert store.certificate_path("transposed.zero-insertion") in store.certificate_paths()
    monkeypatch.setattr(store, "__file__", "/nowhere/symconv/proving/store.py")
    with pytest.raises(FileError, match="there is no directory of proofs"):
        store.proofs_directory.__wrapped__()
