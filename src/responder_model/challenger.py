"""The challenger: shallow boosted trees that read raw predictors, gaps included.

The only module that imports XGBoost. Everything is on the margin (log-odds), never on
a calibrated probability, so that pooling and TreeSHAP stay exact.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from responder_model.features import Array, Encoder

if TYPE_CHECKING:
    import xgboost

__all__ = [
    "PARAMETERS",
    "Learnable",
    "Trees",
    "feature_types",
    "fit_trees",
]

Codes = NDArray[np.int64]

# Settings of the challenger: small on purpose (design.md 3.3).
N_TREES = 24
PARAMETERS: dict[str, Any] = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "max_depth": 2,
    "learning_rate": 0.2,
    "reg_lambda": 5.0,
    "max_bin": 64,
    "nthread": 1,
    "verbosity": 0,
}
# Series whose increase may never lower the predicted probability.
_MONOTONE_SERIES = "relief"


@dataclass(frozen=True, kw_only=True, eq=False)
class Trees:
    """Boosted trees over the raw predictors of one encoder.

    ``rare`` holds, for each predictor, codes that go where a missing value goes.
    """

    booster: xgboost.Booster
    feature_types: tuple[str, ...]
    rare: tuple[Codes, ...] = ()

    def margin(self, raw: Array) -> Array:
        """Log-odds of each patient, (n_patients,)."""
        matrix = _matrix(_without(raw, self.rare), self.feature_types)
        margin = self.booster.predict(matrix, output_margin=True)
        return np.asarray(margin, dtype=np.float64)

    def contributions(self, raw: Array) -> Array:
        """TreeSHAP per raw predictor, then the bias, (n_patients, n_predictors + 1)."""
        matrix = _matrix(_without(raw, self.rare), self.feature_types)
        values = self.booster.predict(matrix, pred_contribs=True)
        return np.asarray(values, dtype=np.float64)

    def to_json(self) -> bytes:
        """Return the trees in XGBoost's own JSON format."""
        text = bytes(self.booster.save_raw(raw_format="json"))
        if not any(codes.size for codes in self.rare):
            return text
        return _sent_as_missing(text, self.rare)

    @classmethod
    def from_json(cls, text: bytes, encoder: Encoder) -> Trees:
        """Read trees back; they belong to the encoder's raw predictors."""
        import xgboost

        booster = xgboost.Booster({"nthread": 1, "verbosity": 0})
        booster.load_model(bytearray(text))
        return cls(booster=booster, feature_types=feature_types(encoder))


def feature_types(encoder: Encoder) -> tuple[str, ...]:
    """XGBoost's type of each raw predictor: category or quantity."""
    return tuple("c" if row.kind == "category" else "q" for row in encoder.fields)


@dataclass(frozen=True, kw_only=True, eq=False)
class Learnable:
    """Patients as the challenger learns from them: one matrix for folds and all.

    A category is rare, and goes where a missing one goes, that fewer than
    ``small_cells`` of all patients have.
    """

    matrix: xgboost.DMatrix
    outcome: Array
    encoder: Encoder
    rare: tuple[Codes, ...]
    small_cells: int

    @classmethod
    def of(
        cls, raw: Array, outcome: Array, encoder: Encoder, small_cells: int = 0
    ) -> Learnable:
        """Raw predictors and a 0/1 outcome."""
        rare = _rare_categories(raw, encoder, small_cells)
        return cls(
            matrix=_matrix(_without(raw, rare), feature_types(encoder), outcome),
            outcome=outcome,
            encoder=encoder,
            rare=rare,
            small_cells=small_cells,
        )

    def trees(self, seed: int) -> Trees:
        """Develop the challenger on everybody."""
        booster = self._boosted(self.matrix, self.outcome, seed)
        types = feature_types(self.encoder)
        return Trees(booster=booster.reset(), feature_types=types, rare=self.rare)

    def out_of_fold_margins(
        self,
        folds: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
        *,
        seed: int,
        n_jobs: int = 1,
    ) -> Array:
        """Margins of patients whom the trees have not seen, mean over repeats, (n,).

        ``n_jobs`` threads share the folds; the numbers do not depend on it.
        """

        def margins(fold: int) -> Array:
            inside, outside = folds[fold]
            part = self.matrix.slice(inside)
            booster = self._boosted(part, self.outcome[inside], seed + fold)
            margin = booster.predict(self.matrix, output_margin=True)
            return np.asarray(margin[outside])

        total, count = np.zeros(len(self.outcome)), np.zeros(len(self.outcome))
        with ThreadPoolExecutor(n_jobs) if n_jobs > 1 else nullcontext() as pool:
            # a thread that works alone only costs its start
            found = (pool.map if pool else map)(margins, range(len(folds)))
            for (_, outside), margin in zip(folds, found, strict=True):
                total[outside] += margin
                count[outside] += 1
        return np.asarray(total / np.maximum(count, 1))

    def _boosted(
        self, matrix: xgboost.DMatrix, outcome: Array, seed: int
    ) -> xgboost.Booster:
        import xgboost

        parameters = PARAMETERS | {
            "seed": seed,
            # no patient weighs more than a quarter
            "min_child_weight": max(1.0, self.small_cells / 4.0),
            "monotone_constraints": _monotone_constraints(self.encoder),
            "base_score": float(np.clip(outcome.mean(), 0.02, 0.98)),
        }
        # What `xgboost.train` does, tree for tree; MLflow's autolog puts a run around
        # that.
        booster = xgboost.Booster(parameters, [matrix])
        for iteration in range(N_TREES):
            booster.update(matrix, iteration)
        return booster


def fit_trees(
    raw: Array, outcome: Array, encoder: Encoder, *, seed: int, small_cells: int = 0
) -> Trees:
    """Develop the challenger on raw predictors and a 0/1 outcome.

    With ``small_cells``, no leaf has fewer patients, and a category that fewer had
    goes where a missing one goes: with its group, where another predictor knows it.
    """
    return Learnable.of(raw, outcome, encoder, small_cells).trees(seed)


def _rare_categories(raw: Array, encoder: Encoder, k: int) -> tuple[Codes, ...]:
    """Codes of each predictor that fewer than ``k`` patients have."""
    rare = []
    for position, row in enumerate(encoder.fields):
        values = raw[:, position]
        codes = values[~np.isnan(values)].astype(np.int64)
        n_codes = len(row.categories)
        counts = np.bincount(codes, minlength=n_codes) if n_codes else np.empty(0)
        rare.append(np.flatnonzero(counts < k))
    return tuple(rare)


def _without(raw: Array, rare: tuple[Codes, ...]) -> Array:
    """Raw predictors with rare categories as missing."""
    raw = raw.copy()
    for position, codes in enumerate(rare):
        if codes.size:
            raw[np.isin(raw[:, position], codes), position] = np.nan
    return raw


def _sent_as_missing(data: bytes, rare: tuple[Codes, ...]) -> bytes:
    """Trees that send rare categories where they send a missing value.

    A node lists the categories that go right; all others go left.
    """
    document = json.loads(data)
    for tree in document["learner"]["gradient_booster"]["model"]["trees"]:
        rows = zip(
            tree["categories_nodes"],
            tree["categories_segments"],
            tree["categories_sizes"],
            strict=True,
        )
        right = []
        for node, start, size in rows:
            few = set(rare[tree["split_indices"][node]].tolist())
            listed = set(map(int, tree["categories"][start : start + size])) - few
            right.append(sorted(listed if tree["default_left"][node] else listed | few))
        sizes = [len(codes) for codes in right]
        tree["categories"] = [code for codes in right for code in codes]
        tree["categories_sizes"] = sizes
        tree["categories_segments"] = [sum(sizes[:k]) for k in range(len(sizes))]
    return json.dumps(document, separators=(",", ":")).encode()


def _matrix(
    raw: Array, types: tuple[str, ...], outcome: Array | None = None
) -> xgboost.DMatrix:
    import xgboost

    return xgboost.DMatrix(
        raw,
        label=outcome,
        feature_types=list(types),
        enable_categorical=True,
        nthread=1,
    )


def _monotone_constraints(encoder: Encoder) -> str:
    rising = {
        name
        for series in encoder.dictionary.series
        if series.name == _MONOTONE_SERIES
        for name in series.fields
    } | {"relief_test"}
    signs = ["1" if name in rising else "0" for name in encoder.predictors]
    return "(" + ",".join(signs) + ")"
