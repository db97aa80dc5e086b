"""symconv: the exact reference for convolution arithmetic.

Names are loaded on first use, so that ``import symconv`` itself costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

#: Public name → the room it lives in.
_ROOMS = {
    "Accumulator": "quantised",
    "AdaptiveAvgPool": "layers",
    "AdaptiveAvgPool1d": "layers",
    "AdaptiveAvgPool2d": "layers",
    "AdaptiveAvgPool3d": "layers",
    "AdaptiveMaxPool": "layers",
    "AdaptiveMaxPool1d": "layers",
    "AdaptiveMaxPool2d": "layers",
    "AdaptiveMaxPool3d": "layers",
    "Approximation": "separable",
    "Audit": "auditing",
    "AuditedNode": "auditing",
    "AvgPool": "layers",
    "AvgPool1d": "layers",
    "AvgPool2d": "layers",
    "AvgPool3d": "layers",
    "AxisField": "receptive",
    "AxisRelation": "relation",
    "BOOLEAN": "semirings",
    "BoundOperator": "bound",
    "COUNTING": "semirings",
    "Certificate": "deconvolution",
    "Certified": "certifying",
    "Choice": "execute.planner",
    "CircularSpectrum": "spectra",
    "Congruence": "roundtrip",
    "Conv": "layers",
    "Conv1d": "layers",
    "Conv2d": "layers",
    "Conv3d": "layers",
    "ConvTranspose": "layers",
    "ConvTranspose1d": "layers",
    "ConvTranspose2d": "layers",
    "ConvTranspose3d": "layers",
    "Counterexample": "verifying",
    "Counts": "counts",
    "Deconvolution": "deconvolution",
    "DepthwiseFactors": "separable",
    "Dilation": "layers",
    "Drawing": "drawing",
    "ENGINES": "adapters.engines",
    "Enclosure": "norms",
    "Engine": "adapters.engines",
    "Erosion": "layers",
    "Explorer": "explorer",
    "FORMATS": "verifying",
    "Factory": "verifying",
    "Failure": "verifying",
    "Finding": "sweeping",
    "Fold": "layers",
    "GenericRank": "linalg",
    "GlobalAvgPool": "layers",
    "GlobalLpPool": "layers",
    "GlobalMaxPool": "layers",
    "INFINITY": "semirings",
    "Implementation": "verifying",
    "JaxConvTranspose": "conventions",
    "KerasConv": "conventions",
    "KerasConvTranspose": "conventions",
    "Layer": "layers",
    "Ledger": "proving.ledger",
    "LipschitzBound": "lipschitz",
    "LpPool": "layers",
    "LpPool1d": "layers",
    "LpPool2d": "layers",
    "LpPool3d": "layers",
    "LpPoolOperator": "lppool",
    "MAX_PLUS": "semirings",
    "MINUS_INFINITY": "semirings",
    "MIN_PLUS": "semirings",
    "MISTAKES": "verifying",
    "MaxLinear": "maxlinear",
    "MaxPool": "layers",
    "MaxPool1d": "layers",
    "MaxPool2d": "layers",
    "MaxPool3d": "layers",
    "MaxUnpool": "layers",
    "MaxUnpool1d": "layers",
    "MaxUnpool2d": "layers",
    "MaxUnpool3d": "layers",
    "MorphologyOperator": "morphology",
    "Multiplicities": "overlap",
    "Network": "network",
    "NetworkOperator": "network",
    "OnnxConv": "conventions",
    "OnnxConvTranspose": "conventions",
    "OnnxPool": "conventions",
    "Operator": "operator",
    "Pack": "vectors",
    "Pad": "layers",
    "PermutationInvariance": "invariance",
    "PoolOperator": "maxpool",
    "RankProof": "linalg",
    "Ratio": "ratios",
    "Savings": "separable",
    "Selection": "selection",
    "Semiring": "semirings",
    "SemiringMatrix": "semiring_matrix",
    "SeparableOutput": "passes",
    "Separation": "separable",
    "SingularValue": "separable",
    "Sweep": "sweeping",
    "SymconvError": "errors",
    "Table": "network",
    "TorchConv": "conventions",
    "TorchConvTranspose": "conventions",
    "TorchPool": "conventions",
    "Undone": "deconvolution",
    "Unfold": "layers",
    "UnsupportedError": "verifying",
    "Verdict": "verdict",
    "Verification": "verifying",
    "XlaConv": "conventions",
    "accumulator": "quantised",
    "aligned": "receptive",
    "always_kept_shifts": "shifts",
    "apply_separable": "passes",
    "audit": "auditing",
    "axis_operators": "passes",
    "best_approximation": "separable",
    "characters_diagonalise": "spectra",
    "circular_spectrum": "spectra",
    "composed": "receptive",
    "convolution_counts": "counts",
    "convolution_matrix": "flipped",
    "covers": "reach",
    "deconvolve": "deconvolution",
    "depthwise_factorization": "separable",
    "depthwise_separable_counts": "counts",
    "depthwise_separable_ratio": "ratios",
    "determinant": "linalg",
    "draw": "drawing",
    "engine": "adapters.engines",
    "enlarging_padding": "shapes",
    "estimated_norm": "norms",
    "explore": "explorer",
    "explorer_page": "explorer",
    "field_of": "receptive",
    "from_onnx": "adapters.onnx",
    "from_torch": "adapters.torch",
    "generic_rank": "linalg",
    "grouped_ratio": "ratios",
    "interior": "reach",
    "inverse": "linalg",
    "is_injective": "linalg",
    "is_invertible": "linalg",
    "is_surjective": "linalg",
    "kept_shifts": "shifts",
    "least_squares": "linalg",
    "lipschitz_bound": "lipschitz",
    "max_unpool": "selection",
    "missing_offsets": "reach",
    "multiplicities": "overlap",
    "norm_bounds": "norms",
    "null_space": "linalg",
    "nullity": "linalg",
    "orthogonality": "linalg",
    "phase_fields": "reach",
    "prove": "proving.ledger",
    "quantised_apply": "quantised",
    "rank": "linalg",
    "rank_proof": "linalg",
    "reads": "reach",
    "receptive_field_svg": "pictures",
    "relative_field": "receptive",
    "resolve_axes": "conventions",
    "same_function": "piecewise",
    "same_operator": "compare",
    "same_padding_triples": "ratios",
    "separable_counts": "counts",
    "separable_operators": "passes",
    "separable_ratio": "ratios",
    "separate": "separable",
    "slice_ranks": "separable",
    "smallest_singular_value": "norms",
    "solve": "linalg",
    "solve_output_padding": "roundtrip",
    "solve_padding": "roundtrip",
    "surviving_sizes": "roundtrip",
    "sweep": "sweeping",
    "translate": "conventions",
    "transposed_matrix": "transposed",
    "unchanged_by": "invariance",
    "undone": "deconvolution",
    "uniform_inside": "overlap",
    "verify": "verifying",
    "where_conventions_differ": "compare",
    "winograd_transforms": "toomcook",
    "worst_accumulator": "quantised",
    "write_vectors": "vectors",
    "zero_insertion_ratio": "ratios",
}

__all__ = [*_ROOMS]  # noqa: PLE0604 - the keys are strings

if TYPE_CHECKING:
    from symconv.adapters.engines import (
        ENGINES as ENGINES,
        Engine as Engine,
        engine as engine,
    )
    from symconv.adapters.onnx import (
        from_onnx as from_onnx,
    )
    from symconv.adapters.torch import (
        from_torch as from_torch,
    )
    from symconv.auditing import (
        Audit as Audit,
        AuditedNode as AuditedNode,
        audit as audit,
    )
    from symconv.bound import (
        BoundOperator as BoundOperator,
    )
    from symconv.certifying import (
        Certified as Certified,
    )
    from symconv.compare import (
        same_operator as same_operator,
        where_conventions_differ as where_conventions_differ,
    )
    from symconv.conventions import (
        JaxConvTranspose as JaxConvTranspose,
        KerasConv as KerasConv,
        KerasConvTranspose as KerasConvTranspose,
        OnnxConv as OnnxConv,
        OnnxConvTranspose as OnnxConvTranspose,
        OnnxPool as OnnxPool,
        TorchConv as TorchConv,
        TorchConvTranspose as TorchConvTranspose,
        TorchPool as TorchPool,
        XlaConv as XlaConv,
        resolve_axes as resolve_axes,
        translate as translate,
    )
    from symconv.counts import (
        Counts as Counts,
        convolution_counts as convolution_counts,
        depthwise_separable_counts as depthwise_separable_counts,
        separable_counts as separable_counts,
    )
    from symconv.deconvolution import (
        Certificate as Certificate,
        Deconvolution as Deconvolution,
        Undone as Undone,
        deconvolve as deconvolve,
        undone as undone,
    )
    from symconv.drawing import (
        Drawing as Drawing,
        draw as draw,
    )
    from symconv.errors import (
        SymconvError as SymconvError,
    )
    from symconv.execute.planner import (
        Choice as Choice,
    )
    from symconv.explorer import (
        Explorer as Explorer,
        explore as explore,
        explorer_page as explorer_page,
    )
    from symconv.flipped import (
        convolution_matrix as convolution_matrix,
    )
    from symconv.invariance import (
        PermutationInvariance as PermutationInvariance,
        unchanged_by as unchanged_by,
    )
    from symconv.layers import (
        AdaptiveAvgPool as AdaptiveAvgPool,
        AdaptiveAvgPool1d as AdaptiveAvgPool1d,
        AdaptiveAvgPool2d as AdaptiveAvgPool2d,
        AdaptiveAvgPool3d as AdaptiveAvgPool3d,
        AdaptiveMaxPool as AdaptiveMaxPool,
        AdaptiveMaxPool1d as AdaptiveMaxPool1d,
        AdaptiveMaxPool2d as AdaptiveMaxPool2d,
        AdaptiveMaxPool3d as AdaptiveMaxPool3d,
        AvgPool as AvgPool,
        AvgPool1d as AvgPool1d,
        AvgPool2d as AvgPool2d,
        AvgPool3d as AvgPool3d,
        Conv as Conv,
        Conv1d as Conv1d,
        Conv2d as Conv2d,
        Conv3d as Conv3d,
        ConvTranspose as ConvTranspose,
        ConvTranspose1d as ConvTranspose1d,
        ConvTranspose2d as ConvTranspose2d,
        ConvTranspose3d as ConvTranspose3d,
        Dilation as Dilation,
        Erosion as Erosion,
        Fold as Fold,
        GlobalAvgPool as GlobalAvgPool,
        GlobalLpPool as GlobalLpPool,
        GlobalMaxPool as GlobalMaxPool,
        Layer as Layer,
        LpPool as LpPool,
        LpPool1d as LpPool1d,
        LpPool2d as LpPool2d,
        LpPool3d as LpPool3d,
        MaxPool as MaxPool,
        MaxPool1d as MaxPool1d,
        MaxPool2d as MaxPool2d,
        MaxPool3d as MaxPool3d,
        MaxUnpool as MaxUnpool,
        MaxUnpool1d as MaxUnpool1d,
        MaxUnpool2d as MaxUnpool2d,
        MaxUnpool3d as MaxUnpool3d,
        Pad as Pad,
        Unfold as Unfold,
    )
    from symconv.linalg import (
        GenericRank as GenericRank,
        RankProof as RankProof,
        determinant as determinant,
        generic_rank as generic_rank,
        inverse as inverse,
        is_injective as is_injective,
        is_invertible as is_invertible,
        is_surjective as is_surjective,
        least_squares as least_squares,
        null_space as null_space,
        nullity as nullity,
        orthogonality as orthogonality,
        rank as rank,
        rank_proof as rank_proof,
        solve as solve,
    )
    from symconv.lipschitz import (
        LipschitzBound as LipschitzBound,
        lipschitz_bound as lipschitz_bound,
    )
    from symconv.lppool import (
        LpPoolOperator as LpPoolOperator,
    )
    from symconv.maxlinear import (
        MaxLinear as MaxLinear,
    )
    from symconv.maxpool import (
        PoolOperator as PoolOperator,
    )
    from symconv.morphology import (
        MorphologyOperator as MorphologyOperator,
    )
    from symconv.network import (
        Network as Network,
        NetworkOperator as NetworkOperator,
        Table as Table,
    )
    from symconv.norms import (
        Enclosure as Enclosure,
        estimated_norm as estimated_norm,
        norm_bounds as norm_bounds,
        smallest_singular_value as smallest_singular_value,
    )
    from symconv.operator import (
        Operator as Operator,
    )
    from symconv.overlap import (
        Multiplicities as Multiplicities,
        multiplicities as multiplicities,
        uniform_inside as uniform_inside,
    )
    from symconv.passes import (
        SeparableOutput as SeparableOutput,
        apply_separable as apply_separable,
        axis_operators as axis_operators,
        separable_operators as separable_operators,
    )
    from symconv.pictures import (
        receptive_field_svg as receptive_field_svg,
    )
    from symconv.piecewise import (
        same_function as same_function,
    )
    from symconv.proving.ledger import (
        Ledger as Ledger,
        prove as prove,
    )
    from symconv.quantised import (
        Accumulator as Accumulator,
        accumulator as accumulator,
        quantised_apply as quantised_apply,
        worst_accumulator as worst_accumulator,
    )
    from symconv.ratios import (
        Ratio as Ratio,
        depthwise_separable_ratio as depthwise_separable_ratio,
        grouped_ratio as grouped_ratio,
        same_padding_triples as same_padding_triples,
        separable_ratio as separable_ratio,
        zero_insertion_ratio as zero_insertion_ratio,
    )
    from symconv.reach import (
        covers as covers,
        interior as interior,
        missing_offsets as missing_offsets,
        phase_fields as phase_fields,
        reads as reads,
    )
    from symconv.receptive import (
        AxisField as AxisField,
        aligned as aligned,
        composed as composed,
        field_of as field_of,
        relative_field as relative_field,
    )
    from symconv.relation import (
        AxisRelation as AxisRelation,
    )
    from symconv.roundtrip import (
        Congruence as Congruence,
        solve_output_padding as solve_output_padding,
        solve_padding as solve_padding,
        surviving_sizes as surviving_sizes,
    )
    from symconv.selection import (
        Selection as Selection,
        max_unpool as max_unpool,
    )
    from symconv.semiring_matrix import (
        SemiringMatrix as SemiringMatrix,
    )
    from symconv.semirings import (
        BOOLEAN as BOOLEAN,
        COUNTING as COUNTING,
        INFINITY as INFINITY,
        MAX_PLUS as MAX_PLUS,
        MIN_PLUS as MIN_PLUS,
        MINUS_INFINITY as MINUS_INFINITY,
        Semiring as Semiring,
    )
    from symconv.separable import (
        Approximation as Approximation,
        DepthwiseFactors as DepthwiseFactors,
        Savings as Savings,
        Separation as Separation,
        SingularValue as SingularValue,
        best_approximation as best_approximation,
        depthwise_factorization as depthwise_factorization,
        separate as separate,
        slice_ranks as slice_ranks,
    )
    from symconv.shapes import (
        enlarging_padding as enlarging_padding,
    )
    from symconv.shifts import (
        always_kept_shifts as always_kept_shifts,
        kept_shifts as kept_shifts,
    )
    from symconv.spectra import (
        CircularSpectrum as CircularSpectrum,
        characters_diagonalise as characters_diagonalise,
        circular_spectrum as circular_spectrum,
    )
    from symconv.sweeping import (
        Finding as Finding,
        Sweep as Sweep,
        sweep as sweep,
    )
    from symconv.toomcook import (
        winograd_transforms as winograd_transforms,
    )
    from symconv.transposed import (
        transposed_matrix as transposed_matrix,
    )
    from symconv.vectors import (
        Pack as Pack,
        write_vectors as write_vectors,
    )
    from symconv.verdict import (
        Verdict as Verdict,
    )
    from symconv.verifying import (
        FORMATS as FORMATS,
        MISTAKES as MISTAKES,
        Counterexample as Counterexample,
        Factory as Factory,
        Failure as Failure,
        Implementation as Implementation,
        UnsupportedError as UnsupportedError,
        Verification as Verification,
        verify as verify,
    )


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'symconv' has no attribute {name!r}")
    value = getattr(import_module(f"symconv.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
