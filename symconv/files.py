"""Images and arrays read from files that may be anything, and files written whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from symconv.errors import FileError, MissingExtraError, TooLargeError

__all__ = [
    "check_writable",
    "grey",
    "image_format",
    "read_array",
    "read_image",
    "resized",
    "write_atomically",
    "write_image",
]

Array = npt.NDArray[Any]

#: Most pixels of an image, most samples along one axis of it, most bytes of an array.
MAX_PIXELS = 64 * 2**20
MAX_SIDE = 65_535
MAX_BYTES = 2**31


def _pillow() -> tuple[Any, Any]:
    try:
        # Pillow is optional.
        from PIL import Image, ImageOps  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError(
            f'images need Pillow: pip install "symconv[draw]" ({error})'
        ) from None
    return Image, ImageOps


def _reason(error: BaseException) -> str:
    """What went wrong, without the path that the message names anyway."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _existing(path: Path) -> Path:
    if not path.exists():
        raise FileError(f"file must exist, got {path}")
    if not path.is_file():
        raise FileError(f"file must be a regular file, got {path}")
    return path


def read_array(path: Path) -> Array:
    """The array of a ``.npy`` file; pickled objects are never loaded.

    Parameters
    ----------
    path : Path

    Raises
    ------
    FileError
        If the file is missing, no ``.npy`` file, cut off, or holds objects.
    TooLargeError
        If the array has more than 2 GiB.
    """
    _existing(path)
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            # Format 3.0 differs from 2.0 in field names only, which no numeric dtype has.
            read_header = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read_header(file)
            # The header is a claim: it is compared with the file before memory is set aside.
            claimed = int(np.prod(shape, dtype=object)) * dtype.itemsize
            present = os.fstat(file.fileno()).st_size - file.tell()
        if dtype.hasobject:
            raise FileError(f"array must hold plain numbers, got Python objects in {path}")
        if any(n < 0 for n in shape):
            raise FileError(f"array shape must not be negative, got {shape} in {path}")
        if claimed > present:
            raise FileError(
                f"array must be complete, got {present} of {claimed} bytes for shape {shape} "
                f"in {path}"
            )
        if claimed > MAX_BYTES:
            raise TooLargeError(
                f"array must have at most {MAX_BYTES} bytes, got {claimed} in {path}"
            )
        return np.asarray(np.load(path, allow_pickle=False))
    except (FileError, TooLargeError):
        raise
    except OSError as error:
        raise FileError(f"file must be readable, got {path}: {_reason(error)}") from None
    except Exception as error:
        # A damaged header fails in many ways inside NumPy, tokenizer errors included.
        raise FileError(f"file must be a .npy array, got {path}: {_reason(error)}") from None


def read_image(path: Path) -> Array:
    """The samples of an image: (height, width) if grey, (3, height, width) if in colour.

    Sixteen-bit and floating greys keep their values. Palettes become colours, transparency is
    dropped, and the orientation that a camera noted is applied.

    Parameters
    ----------
    path : Path

    Raises
    ------
    FileError
        If the file is missing, no image, or cut off.
    TooLargeError
        If it has more than 64 Mi pixels, or more than 65,535 along one side.
    """
    pillow, operations = _pillow()
    _existing(path)
    try:
        # Pillow warns of large images and damaged metadata; the limits here decide instead.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pillow.open(path) as image:
                _check_pixels(image.size, path)
                return _samples(operations.exif_transpose(image))
    except (FileError, TooLargeError):
        raise
    except pillow.DecompressionBombError as error:
        raise TooLargeError(f"image is too large: {path}: {error}") from None
    except pillow.UnidentifiedImageError:
        raise FileError(f"file must be an image, got {path}") from None
    except Exception as error:
        # Decoders fail on damaged files with OSError, SyntaxError, struct.error and many more.
        raise FileError(f"image must be readable, got {path}: {_reason(error)}") from None


def _check_pixels(size: tuple[int, int], path: Path) -> None:
    width, height = size
    if max(size) > MAX_SIDE or width * height > MAX_PIXELS:
        raise TooLargeError(
            f"image must have at most {MAX_PIXELS} pixels and {MAX_SIDE} along one side, got "
            f"{height}×{width} in {path}"
        )
    if min(size) < 1:
        raise FileError(f"image must have pixels, got {height}×{width} in {path}")


def _samples(image: Any) -> Array:
    if image.mode in ("1", "LA", "La"):
        image = image.convert("L")
    if image.mode == "L" or image.mode.startswith(("I", "F")):
        return np.array(image)
    return np.ascontiguousarray(np.moveaxis(np.array(image.convert("RGB")), -1, 0))


def grey(colours: Array) -> Array:
    """The luma of (3, height, width) in integers, as Pillow's mode "L" (ITU-R 601-2).

    Examples
    --------
    >>> grey(np.array([255, 255, 0]).reshape(3, 1, 1))
    array([[226]], dtype=uint8)
    """
    red, green, blue = colours.astype(np.int64)
    luma = (19595 * red + 38470 * green + 7471 * blue + 2**15) >> 16
    return np.asarray(luma, dtype=np.uint8)


def write_image(path: Path, samples: Array) -> None:
    """Write uint8 samples, (height, width) or (3, height, width), in the suffix's format.

    Parameters
    ----------
    path : Path
    samples : numpy.ndarray of uint8

    Raises
    ------
    FileError
        If the suffix names no format that Pillow writes, or the file cannot be written.
    """
    pillow, _ = _pillow()
    kind = image_format(path)
    image = pillow.fromarray(
        np.ascontiguousarray(samples if samples.ndim == 2 else np.moveaxis(samples, 0, -1))
    )

    def save(file: IO[bytes]) -> None:
        try:
            image.save(file, format=kind)
        except (ValueError, KeyError, SystemError) as error:
            raise FileError(
                f"image must suit the format {kind}, got {path}: {_reason(error)}"
            ) from None

    write_atomically(path, save)


def resized(samples: Array, longer_side: int) -> Array:
    """Colour samples (3, height, width), uint8, scaled by Pillow's area average or bicubic."""
    pillow, _ = _pillow()
    image = pillow.fromarray(np.ascontiguousarray(np.moveaxis(samples, 0, -1)))
    factor = longer_side / max(image.size)
    size = tuple(max(1, round(side * factor)) for side in image.size)
    filtered = image.resize(
        size, pillow.Resampling.BOX if factor < 1 else pillow.Resampling.BICUBIC
    )
    return np.ascontiguousarray(np.moveaxis(np.array(filtered), -1, 0))


def image_format(path: Path) -> str:
    """The name of the format that Pillow writes for a suffix."""
    pillow, _ = _pillow()
    kind = pillow.registered_extensions().get(path.suffix.lower())
    if kind is None or kind not in pillow.SAVE:
        raise FileError(
            f"file name must end in .npy or a format that Pillow writes, such as .png, got {path}"
        )
    return str(kind)


def check_writable(path: Path) -> tuple[Path, int | None]:
    """The file that `path` leads to and its mode, None for a new one; before long work, say.

    Raises
    ------
    FileError
        If the folder is missing, or `path` is no regular file.
    """
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode if target.exists() else None
    except OSError as error:
        raise FileError(f"file must be writable, got {path}: {_reason(error)}") from None
    if mode is not None and not stat.S_ISREG(mode):
        # Renaming over a device such as /dev/null would replace the device.
        raise FileError(f"file must be a regular file or new, got {path}")
    if not target.parent.is_dir():
        raise FileError(f"folder must exist, got {target.parent} for {path.name}")
    return target, mode


def write_atomically(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in place in one step.

    Readers see the old file or the whole new one; after an error nothing is left behind.

    Parameters
    ----------
    path : Path
        A new file or a regular one to replace; a symbolic link's target is replaced.
    write : callable
        Takes the open binary file.

    Raises
    ------
    FileError
        If the folder is missing or cannot be written, or `path` is no regular file.
    """
    target, mode = check_writable(path)
    part = target.parent / f".symconv-{secrets.token_hex(8)}.part"
    try:
        # "x" creates with the permissions that the user's umask gives, unlike tempfile.
        with part.open("xb") as file:
            write(file)
        if mode is not None:
            part.chmod(stat.S_IMODE(mode))
        os.replace(part, target)
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"file must be writable, got {path}: {_reason(error)}") from None
    finally:
        part.unlink(missing_ok=True)
