"""Vector packs: folders of exact test vectors for projects that do not have symconv."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count as counted, islice
from pathlib import Path
from typing import Any

from symconv import __version__
from symconv.checks import choice, concrete, integer, sequence
from symconv.errors import FileError, ParameterError, ParameterTypeError
from symconv.lattice import point
from symconv.layers import Layer
from symconv.vectors.cases import Case, made
from symconv.vectors.formats import FORMATS, described, in_onnx
from symconv.vectors.parameters import parameters_of

__all__ = ["Pack", "write_vectors"]

#: Cases of one pack.
MAX_COUNT = 10_000

README = """\
Exact test vectors of convolutions and poolings, written by symconv {version}.

Every number is an integer. All sums of products stay below 2**24, so a correct implementation in
float32 (or wider) gives these outputs bit for bit, in whatever order it adds. An average may be
computed with a rounded reciprocal: allow an average (taps + 4) units in the last place.

Tensors are (batch, channels, *size). Weights are (out, in/groups, *kernel), of a transposed
convolution (in, out/groups, *kernel). kernel_size, stride, dilation, output_padding have one
integer per axis, padding one [low, high] pair; the kernel is not flipped. With ceil_mode a window
may hang over the padded input, unless it starts at or after the end of the input; what hangs over
is not counted in an average.

manifest.json says where each case comes from: its parameters, its definition, and the SHA-256 of
every array (as little-endian 64-bit integers in C order) and of every file.
{usage}"""

USAGE = {
    "json": """
vectors.json has everything; vectors.npz the arrays again, as int64. With Python and NumPy:

    import json
    import numpy as np

    arrays = np.load("vectors.npz", allow_pickle=False)
    for case in json.load(open("vectors.json"))["vectors"]:
        x, y = arrays[case["name"] + "_input"], arrays[case["name"] + "_output"]
        assert x.tolist() == case["input"] and y.tolist() == case["output"]
        print(case["name"], case["parameters"], x.shape, "->", y.shape)
        # assert (mine(case["parameters"], x, case.get("weight"), case.get("bias")) == y).all()
""",
    "onnx": """
symconv/ has the layout of ONNX's node tests, float32, operator set 22: model.onnx, in data.json
the tolerance (none, but for averages), in test_data_set_0 the inputs and the output as
TensorProto. The loader of onnx.backend.test reads it:
load_model_tests(data_dir=THIS_FOLDER, kind="symconv").
""",
}


@dataclass(frozen=True)
class Pack:
    """What was written.

    Attributes
    ----------
    path : Path
    names : tuple of str
        Of the cases.
    sha256 : str
        Of ``manifest.json``, which has that of every other file.
    """

    path: Path
    names: tuple[str, ...]
    sha256: str


def write_vectors(
    path: str | os.PathLike[str],
    layers: Sequence[tuple[Layer, Sequence[int]]] | None = None,
    *,
    kind: str = "all",
    count: int = 20,
    seed: int = 0,
    batch: int = 2,
    format: str = "json",  # noqa: A002 - the word of the command line
) -> Pack:
    """Write exact, float-free test vectors into a new folder, whole or not at all.

    Parameters
    ----------
    path : path
        A folder that does not exist, or an empty one.
    layers : sequence of (layer, input_size), optional
        The geometries; without it `count` small ones of the lattice that sweeps use.
    kind : {"all", "conv", "transpose", "avg", "max"}
    count, seed : int
        Of the lattice.
    batch : int, default 2
    format : {"json", "onnx"}
        ``vectors.json`` and ``vectors.npz``, or the layout of ONNX's node tests (of the lattice,
        only what ONNX can say).

    Returns
    -------
    Pack

    Raises
    ------
    ParameterError, ParameterTypeError
        If a parameter breaks its rule, or a layer has no vectors (see the message).
    FileError
        If the folder is not empty or cannot be written.
    MissingExtraError
        If ``onnx`` is needed and not installed.

    Examples
    --------
    >>> import tempfile, symconv as sc
    >>> folder = Path(tempfile.mkdtemp()) / "pack"
    >>> pack = write_vectors(folder, [(sc.MaxPool1d(2), (4,))])
    >>> pack.names, sorted(file.name for file in folder.iterdir())
    (('000_max_pool1d',), ['README.txt', 'manifest.json', 'vectors.json', 'vectors.npz'])

    References
    ----------
    ONNX, *Backend tests* (node tests and their data sets).
    """
    choice("format", format, FORMATS)
    samples = concrete("batch", integer("batch", batch, 1))
    most = concrete("count", integer("count", count, 1))
    if most > MAX_COUNT:
        raise ParameterError(f"count must be at most {MAX_COUNT}, got {most}")
    target = Path(path)
    _check_new(target)
    if layers is None:
        places = list(islice(_lattice(kind, seed, format), most))
    else:
        places = _checked(layers)
    cases = [made(number, layer, size, samples) for number, (layer, size) in enumerate(places)]
    files = FORMATS[format](cases)
    text = README.format(version=__version__, usage=USAGE[format])
    files["README.txt"] = text.encode()
    manifest = _manifest(cases, files, format)
    _write(target, files | {"manifest.json": manifest})
    names = tuple(case.name for case in cases)
    return Pack(target, names, hashlib.sha256(manifest).hexdigest())


def _lattice(kind: str, seed: int, form: str) -> Iterator[tuple[Layer, tuple[int, ...]]]:
    for number in counted():
        found = point(number, kind, seed)
        if form == "onnx" and in_onnx(parameters_of(found.layer, found.input_size)):
            continue
        yield found.layer, found.input_size


def _checked(layers: Any) -> list[tuple[Layer, tuple[int, ...]]]:
    found = []
    for entry in sequence("layers", layers):
        pair = sequence("layers", entry)
        if len(pair) != 2 or not isinstance(pair[0], Layer):
            raise ParameterTypeError(f"layers must hold (layer, input_size) pairs, got {entry!r}")
        found.append((pair[0], sequence("input_size", pair[1])))
    if not 1 <= len(found) <= MAX_COUNT:
        raise ParameterError(f"layers must have 1 to {MAX_COUNT} entries, got {len(found)}")
    return found


def _manifest(cases: Sequence[Case], files: dict[str, bytes], form: str) -> bytes:
    manifest = {
        "format": f"symconv vectors 1, {form}",
        "symconv": __version__,
        "cases": [described(case) for case in cases],
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
    }
    return (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()


def _check_new(target: Path) -> None:
    try:
        if target.is_symlink() or (target.exists() and not target.is_dir()):
            raise FileError(f"folder must be new or empty, got the file {target}")
        if target.is_dir() and any(target.iterdir()):
            raise FileError(f"folder must be new or empty, got {target}, which has files")
        if not target.absolute().parent.is_dir():
            raise FileError(f"folder must stand in one that exists, got {target}")
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"folder must be readable, got {target}: {error.strerror}") from None


def _write(target: Path, files: dict[str, bytes]) -> None:
    """All files in a folder beside the target, then put in its place in one step."""
    part = target.absolute().parent / f".symconv-{secrets.token_hex(8)}.part"
    try:
        part.mkdir()
        for name, data in files.items():
            file = part / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        if target.is_dir():
            # Only an empty folder goes; some systems do not rename over one.
            target.rmdir()
        os.replace(part, target)
    except OSError as error:
        raise FileError(f"folder must be writable, got {target}: {error.strerror}") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
