"""Files written whole or not at all, and images and arrays read from anything."""

from __future__ import annotations

import os
import stat

import numpy as np
import pytest

from symconv import files
from symconv.errors import FileError, TooLargeError
from symconv.files import read_array, read_image, resized, write_atomically, write_image


def write(content):
    return lambda file: file.write(content)


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, write(b"old"))
    assert path.read_bytes() == b"old"
    path.chmod(0o640)
    write_atomically(path, write(b"new"))
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [ValueError("odd"), KeyboardInterrupt(), OSError(28, "full")])
def test_nothing_is_left_after_an_error(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(file):
        file.write(b"half")
        file.flush()
        assert len(os.listdir(tmp_path)) == 2
        raise error

    kind = FileError if isinstance(error, OSError) else type(error)
    with pytest.raises(kind, match="full" if isinstance(error, OSError) else None):
        write_atomically(path, fail)
    assert os.listdir(tmp_path) == ["file"]
    assert path.read_bytes() == b"old"


def test_failure_of_the_last_step(tmp_path, monkeypatch):
    def fail(source, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(FileError, match=r"file must be writable, got .*: Permission denied"):
        write_atomically(tmp_path / "file", write(b"new"))
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="links and devices of POSIX")
def test_links_devices_and_folders(tmp_path):
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    write_atomically(tmp_path / "link", write(b"new"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(FileError, match="file must be a regular file or new"):
            write_atomically(path, write(b"new"))
    for reading in (read_array, read_image):
        pytest.importorskip("PIL")
        with pytest.raises(FileError, match="file must be a regular file, got"):
            reading(tmp_path / "pipe")
    with pytest.raises(FileError, match="folder must exist"):
        write_atomically(tmp_path / "none" / "file", write(b"new"))
    with pytest.raises(FileError, match=r"folder must exist|file must be writable"):
        write_atomically(tmp_path / "target" / "file", write(b"new"))
    with pytest.raises(FileError, match="file must be writable"):
        write_atomically(tmp_path / ("x" * 300), write(b"new"))
    assert sorted(os.listdir(tmp_path)) == ["link", "pipe", "target"]


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (2, 3)])
@pytest.mark.parametrize("dtype", ["u1", ">i4", "i8", "f4", "c16"])
def test_arrays_come_back(tmp_path, shape, dtype):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    np.save(tmp_path / "a.npy", array)
    read = read_array(tmp_path / "a.npy")
    assert read.dtype == array.dtype
    assert np.array_equal(read, array)


def test_arrays_have_a_limit(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", np.zeros(100))
    monkeypatch.setattr(files, "MAX_BYTES", 799)
    with pytest.raises(TooLargeError, match="array must have at most 799 bytes, got 800"):
        read_array(tmp_path / "a.npy")


def test_headers_are_claims(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 2)))
    whole = (tmp_path / "a.npy").read_bytes()
    for old, new in (
        (b"(2, 2)", b"(2,-2)"),
        (b"(2, 2)", b"(2, x)"),
        (b"'<f8'", b"'<q9'"),
        (b"'<f8'", b"os.sy"),
        (b"NUMPY\x01", b"NUMPY\x09"),
        (b"'shape'", b"'other'"),
    ):
        assert old in whole
        (tmp_path / "b.npy").write_bytes(whole.replace(old, new))
        with pytest.raises(FileError):
            read_array(tmp_path / "b.npy")


@pytest.fixture
def pillow():
    return pytest.importorskip("PIL.Image")


def test_modes(tmp_path, pillow):
    noise = np.random.default_rng(0).integers(0, 256, (6, 5, 4), dtype=np.uint8)
    colours = np.moveaxis(noise[..., :3], -1, 0)
    whole = {
        "grey.png": (noise[..., 0], noise[..., 0]),
        "colours.png": (noise[..., :3], colours),
        "transparent.png": (noise, colours),
        "grey-transparent.png": (noise[..., :2], noise[..., 0]),
        "bits.png": (noise[..., 0] > 99, 255 * (noise[..., 0] > 99)),
        "deep.png": (noise[..., 0].astype(np.uint16) * 200, noise[..., 0].astype(int) * 200),
        "floats.tiff": (noise[..., 0].astype(np.float32) / 3,) * 2,
    }
    for name, (stored, expected) in whole.items():
        pillow.fromarray(stored).save(tmp_path / name)
        assert np.array_equal(read_image(tmp_path / name), expected)
    pillow.fromarray(noise[..., :3]).quantize(16).save(tmp_path / "palette.png")
    assert read_image(tmp_path / "palette.png").shape == (3, 6, 5)


def test_the_camera_orientation_is_applied(tmp_path, pillow):
    exif = pillow.Exif()
    exif[0x0112] = 6
    image = pillow.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3))
    image.save(tmp_path / "turned.png", exif=exif)
    assert read_image(tmp_path / "turned.png").tolist() == [[3, 0], [4, 1], [5, 2]]


def test_images_come_back(tmp_path, pillow):
    samples = np.random.default_rng(0).integers(0, 256, (3, 6, 5), dtype=np.uint8)
    for name in ("a.png", "a.BMP", "a.tiff"):
        for each in (samples, samples[0]):
            write_image(tmp_path / name, each)
            assert np.array_equal(read_image(tmp_path / name), each)
    with pytest.raises(FileError, match=r"file name must end in \.npy or a format"):
        write_image(tmp_path / "a.txt", samples)
    # Pillow's own failure, sides beyond the format here, is reported and leaves nothing.
    with pytest.raises(FileError, match=r"a\.jpg"):
        write_image(tmp_path / "a.jpg", np.zeros((1, 70_000), dtype=np.uint8))
    assert sorted(os.listdir(tmp_path)) == ["a.BMP", "a.png", "a.tiff"]


def test_resizing_keeps_the_proportions(pillow):
    samples = np.full((3, 60, 40), 7, dtype=np.uint8)
    for side, shape in ((30, (3, 30, 20)), (120, (3, 120, 80)), (60, (3, 60, 40))):
        assert resized(samples, side).shape == shape
        assert (resized(samples, side) == 7).all()


def test_grey_is_pillows(pillow):
    colours = np.random.default_rng(0).integers(0, 256, (50, 50, 3), dtype=np.uint8)
    expected = np.array(pillow.fromarray(colours).convert("L"))
    assert np.array_equal(files.grey(np.moveaxis(colours, -1, 0)), expected)
