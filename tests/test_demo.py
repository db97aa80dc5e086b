"""The demonstration: right results are called equal, planted mistakes are found and reported."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import oracles
import pytest

import symconv as sc
from symconv import demo, files, peers
from symconv.errors import ParameterError

SIZE = (38, 47)


@pytest.fixture(scope="module")
def colour():
    return np.random.default_rng(3).integers(0, 256, (3, *SIZE), dtype=np.uint8)


@pytest.fixture(scope="module")
def outcomes(colour):
    return list(demo.run(colour))


def images(colour, outcomes):
    known = {"colour": colour.astype(np.int64), "grey": files.grey(colour).astype(np.int64)[None]}
    return known | {outcome.case.name: outcome.computed.by_matrix for outcome in outcomes}


def test_every_case_is_equal_to_its_peers(outcomes):
    assert len(outcomes) == len(demo.cases(SIZE)) == demo.n_cases()
    for outcome in outcomes:
        assert outcome.is_equal
        assert outcome.verdict == f"equal to {', '.join(peers.peers())}"
        assert outcome.computed.by_matrix.dtype == np.int64
        assert set(outcome.seconds) == {"assemble", "product", "apply", *outcome.peers}
        assert outcome.computed.n_bytes > 12 * outcome.computed.operator.nnz


def test_the_results_are_those_of_naive_loops(colour, outcomes):
    inputs = images(colour, outcomes)
    for outcome in outcomes:
        layer, weight, x = outcome.case.layer, outcome.case.weight, inputs[outcome.case.source]
        if isinstance(layer, sc.Conv):
            expected = oracles.conv(
                x[None], weight, layer.stride, layer.dilation, layer.padding,
                layer.groups, layer.padding_mode, 0, layer.input_dilation, None,
            )  # fmt: skip
        else:
            expected = oracles.conv_transpose(
                x[None], weight, layer.stride, layer.dilation, layer.padding, layer.output_padding,
                layer.groups, None,
            )  # fmt: skip
        assert np.array_equal(outcome.computed.by_matrix[None], expected)


def test_the_cases_cover_what_they_say(outcomes):
    layers = [outcome.case.layer for outcome in outcomes]
    transposed = [layer for layer in layers if isinstance(layer, sc.ConvTranspose)]
    assert transposed
    assert all(max(layer.stride) > 1 and sum(layer.output_padding) for layer in transposed)
    plain = [layer for layer in layers if isinstance(layer, sc.Conv)]
    assert any(len(set(layer.dilation)) > 1 for layer in plain)
    assert any(len(set(layer.stride)) > 1 for layer in plain)
    assert any(lo != hi for layer in plain for lo, hi in layer.padding)
    assert any(layer.groups > 1 for layer in plain)
    assert {layer.padding_mode for layer in plain} == {"zeros", "reflect", "circular"}


@pytest.mark.parametrize("size", [(32, 32), (33, 34), (40, 64), (600, 512)])
def test_the_transposed_case_gives_the_size_back(size):
    for case in demo.cases(size):
        if case.source not in ("grey", "colour"):
            (source,) = (other for other in demo.cases(size) if other.name == case.source)
            assert case.layer.output_size(source.layer.output_size(size)) == size


def other_layer(case, **changes):
    """The case with a layer of its own kind whose parameters differ."""
    return replace(case, layer=replace(case.layer, **changes))


def moved(padding):
    """Every window one sample further, the output size kept."""
    return tuple((lo - 1, hi + 1) for lo, hi in padding)


#: What symconv might get wrong → the case that it would compute instead.
MISTAKES = {
    "flipped kernel": lambda case: replace(case, weight=case.weight[..., ::-1, ::-1]),
    "transposed kernel": lambda case: replace(case, weight=case.weight.swapaxes(2, 3)),
    "one weight off by one": lambda case: replace(
        case, weight=case.weight + (np.arange(case.weight.size) == 4).reshape(case.weight.shape)
    ),
    "shifted padding": lambda case: other_layer(case, padding=moved(case.layer.padding)),
    "no dilation": lambda case: other_layer(case, dilation=1, padding=1),
    "other boundary": lambda case: other_layer(case, padding_mode="symmetric"),
    "exchanged channels": lambda case: replace(case, weight=case.weight[::-1]),
    "exchanged strides": lambda case: other_layer(case, stride=case.layer.stride[::-1]),
    "forgotten output padding": lambda case: other_layer(case, output_padding=0),
}

PLANTED = [
    ("flipped kernel", "Sobel x"),
    ("transposed kernel", "Sobel x"),
    ("one weight off by one", "Gaussian"),
    ("other boundary", "Gaussian"),
    ("other boundary", "Emboss"),
    ("flipped kernel", "Emboss"),
    ("shifted padding", "Laplacian of Gaussian"),
    ("no dilation", "Dilated Sobel y"),
    ("shifted padding", "Strided Gaussian"),
    ("exchanged strides", "Strided Gaussian"),
    ("shifted padding", "Transposed back"),
    ("forgotten output padding", "Transposed back"),
    ("exchanged channels", "Gradients per colour"),
]


@pytest.mark.parametrize(("mistake", "name"), PLANTED)
def test_planted_mistakes_are_found(colour, outcomes, mistake, name):
    (case,) = (outcome.case for outcome in outcomes if outcome.case.name == name)
    x = images(colour, outcomes)[case.source]
    outcome = demo.compare(case, x, demo.compute(MISTAKES[mistake](case), x))
    assert not outcome.is_equal
    # Both of symconv's answers share the mistake; every peer contradicts them.
    assert set(outcome.differences) == set(peers.peers())
    assert outcome.verdict.startswith("DIFFERS from scipy ")


def test_one_wrong_integer_is_found_and_placed(colour, outcomes):
    first = outcomes[0]
    x = images(colour, outcomes)["grey"]
    wrong = first.computed.by_matrix.copy()
    wrong[0, 5, 7] += 1
    right = int(wrong[0, 5, 7]) - 1
    outcome = demo.compare(first.case, x, replace(first.computed, by_matrix=wrong))
    place = f"at 1 of {wrong.size}, first at (0, 5, 7): {right + 1} and {right}"
    assert outcome.differences == dict.fromkeys(("its own apply", *peers.peers()), place)
    outcome = demo.compare(first.case, x, replace(first.computed, by_apply=wrong))
    assert set(outcome.differences) == {"its own apply"}


def test_a_wrong_peer_is_not_hidden_by_the_other(colour, outcomes, monkeypatch):
    first, x = outcomes[0], images(colour, outcomes)["grey"]
    right = peers.peers()
    monkeypatch.setattr(demo, "peers", lambda: right | {"other": lambda layer, weight, x: x})
    outcome = demo.compare(first.case, x, first.computed)
    assert set(outcome.differences) == {"other"}


@pytest.mark.parametrize("error", [ImportError, OSError])
def test_without_torch_scipy_is_enough(monkeypatch, error):
    def without_torch(name):
        if name == "torch":
            raise error(name)

    monkeypatch.setattr(peers, "import_module", without_torch)
    assert list(peers.peers()) == ["scipy"]


@pytest.mark.parametrize("shape", [(3, 31, 64), (3, 64, 31), (1, 64, 64), (64, 64), (4, 64, 64)])
def test_images_that_do_not_suit(shape):
    with pytest.raises(ParameterError, match="three colours and at least 32×32 pixels, got shape"):
        next(demo.run(np.zeros(shape, dtype=np.uint8)))


def test_small_matrices_hold_what_they_claim():
    examples = demo.small()
    assert all(example.holds for example in examples)
    (claimed,) = (example for example in examples if example.claim)
    assert claimed.operator.shape == (16, 4)


def test_the_picture_has_every_panel(colour, outcomes):
    shown = demo.panels(colour, outcomes)
    assert [title.split("\n")[0] for title, _, _ in shown] == [
        "original", *(outcome.case.name for outcome in outcomes)
    ]  # fmt: skip
    assert all(image.ndim == 2 or image.shape[-1] == 3 for _, image, _ in shown)


# The command


@pytest.fixture
def run():
    for name in ("rich", "PIL", "matplotlib"):
        pytest.importorskip(name)
    testing = pytest.importorskip("click.testing")
    commands = pytest.importorskip("symconv.cli").commands

    def invoke(*arguments):
        result = testing.CliRunner().invoke(commands, ["demo", *map(str, arguments)])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.output

    return invoke


def test_the_command(run, tmp_path):
    code, output = run("--out", tmp_path / "new" / "folder", "--size", "64")
    assert code == 0
    assert "[w11  w12    0    0  w21" in output
    assert "true: it is the transpose" in output
    assert "Gradients per colour" in output
    assert "DIFFERS" not in output
    assert f"equal those of {' and '.join(peers.peers())}." in output
    picture = tmp_path / "new" / "folder" / "demo.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in picture.parent.iterdir()] == ["demo.png"]
    assert max(map(len, output.splitlines())) <= max(100, len(f"Picture: {picture}"))


@pytest.mark.parametrize("mistake", ["flipped kernel", "shifted padding"])
def test_the_command_reports_planted_mistakes(run, tmp_path, monkeypatch, mistake):
    right = demo.compute

    def wrong(case, x):
        return right(MISTAKES[mistake](case) if case.name == "Sobel x" else case, x)

    monkeypatch.setattr(demo, "compute", wrong)
    code, output = run("--out", tmp_path, "--size", "48")
    assert code == 1
    assert "Sobel x: DIFFERS from scipy at " in output
    assert output.count("see below") == 1
    assert "All 8 results" not in output


def test_the_command_reports_a_false_claim(run, tmp_path, monkeypatch):
    false = tuple(replace(example, holds=False) for example in demo.small())
    monkeypatch.setattr(demo, "small", lambda: false)
    code, output = run("--out", tmp_path, "--size", "48")
    assert code == 1
    assert "FALSE: it is the transpose" in output


def test_your_own_image(run, tmp_path, colour):
    pillow = pytest.importorskip("PIL.Image")
    pillow.fromarray(files.grey(colour)).save(tmp_path / "grey[bold].png")
    code, output = run("--out", tmp_path, "--image", tmp_path / "grey[bold].png")
    assert code == 0
    assert "grey[bold].png" in "".join(output.split())
    assert "38×47" in output


def test_refusals(run, tmp_path, colour):
    pillow = pytest.importorskip("PIL.Image")
    (tmp_path / "file").write_text("taken")
    (tmp_path / "text.png").write_text("no image")
    pillow.fromarray(np.zeros((64, 64), dtype=np.uint16)).save(tmp_path / "deep.png")
    pillow.fromarray(np.zeros((20, 64), dtype=np.uint8)).save(tmp_path / "low.png")
    before = sorted(path.name for path in tmp_path.iterdir())
    for arguments, message in (
        (("--out", tmp_path / "file"), "error: folder must be writable"),
        (("--out", tmp_path / "file" / "below"), "error: folder must be writable"),
        (("--out", tmp_path, "--image", tmp_path / "none.png"), "error: file must exist"),
        (("--out", tmp_path, "--image", tmp_path / "text.png"), "error: file must be an image"),
        (("--out", tmp_path, "--image", tmp_path / "deep.png"), "must have 8 bits per sample"),
        (("--out", tmp_path, "--image", tmp_path / "low.png"), "at least 32×32 pixels"),
        (("--out", tmp_path, "--size", 48, "--quick"), "either --size or --quick"),
        (("--out", tmp_path, "--size", 8), "8 is not in the range"),
    ):
        code, output = run(*arguments)
        assert code == 2
        assert message in output
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_missing_matplotlib_is_named(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.cbook", None)
    code, output = run("--out", tmp_path / "out")
    assert code == 2
    assert 'the demonstration needs Matplotlib: pip install "symconv[demo]"' in output
    assert not (tmp_path / "out").exists()
