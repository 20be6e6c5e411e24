"""The scorecard as CSV: all that a spreadsheet needs, to the last digit."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from responder_model.features.columns import KNOT, SHAPE_MEAN, SHAPE_SD
from responder_model.labels import describe_cut_point
from responder_model.schema import dictionary
from .card import Scorecard, Term

FORMULA = (
    "log-odds of a column = its constant + for each number: log_odds * "
    "(transform(value) - centre) / scale + for each category: log_odds of the "
    "patient's value{curve}; log is natural, log1p(x) = log(1 + x); below the main "
    "cut-off take the larger of a column and its right neighbour, above it the smaller "
    "of a column and its left neighbour; probability = 1 / (1 + exp(-log-odds))"
)


CURVE = (
    " + for each curve: log_odds * bend((transform(value) - centre) / scale), where "
    f"bend(z) = (h - {SHAPE_MEAN!r}) / {SHAPE_SD!r}, h = |z| or, where |z| < k = "
    f"{KNOT!r}, h = (k^3 + 3*k*z^2 - |z|^3) / (3*k^2)"
)


def render_csv(card: Scorecard) -> str:
    """Scorecard as CSV text.

    Columns: ``kind`` (``about``, ``constant``, ``number``, ``curve``, ``category``),
    ``predictor``, ``value``, ``transform``, ``centre``, ``scale``, and for each served
    cut-off ``log_odds_<cut-off>``. The rows ``about`` hold the formula, the model, its
    provenance and for whom the card is.

    Examples
    --------
    >>> import responder_model as rm
    >>> from responder_model.scorecard import build_scorecard
    >>> model = rm.published_model("rtms_response", "screening")
    >>> print(render_csv(build_scorecard(model, known=["age"])).splitlines()[0])
    kind,predictor,value,transform,centre,scale,log_odds_10,log_odds_30,log_odds_50
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    cuts = [f"log_odds_{cut:g}" for cut in card.cut_points]
    writer.writerow(
        ["kind", "predictor", "value", "transform", "centre", "scale", *cuts]
    )
    blank = [""] * (3 + len(cuts))
    for name, text in _about(card):
        writer.writerow(["about", name, text, *blank])
    writer.writerow(["constant", "", "", "", "", "", *map(repr, card.constant)])
    for term in card.terms:
        writer.writerows(_rows(term))
    return out.getvalue()


def _about(card: Scorecard) -> Iterator[tuple[str, str]]:
    decision = dictionary().decisions[card.decision]
    yield "use", "Research use only: not a medical device."
    yield "model", card.model
    yield "target", f"{card.decision}@{card.moment}"
    yield "provenance", card.provenance
    for cut in card.cut_points:
        main = " (main cut-off)" if cut == decision.main_cut_point else ""
        outcome = f"{decision.outcome} {describe_cut_point(decision, cut)}{main}"
        yield f"log_odds_{cut:g}", outcome
    bent = any(term.curve for term in card.terms)
    yield "formula", FORMULA.format(curve=CURVE if bent else "")
    yield "for_patients_with_known", " ".join(card.known)
    yield "known_or_not", " ".join(card.optional)
    yield "and_without", " ".join(card.averaged)
    if card.non_responders == "few":
        yield "not_for", "patients who did not respond to the test: few were implanted"
    if card.trees_weight:
        text = f"only the linear part: trees of weight {card.trees_weight:.3g} left out"
        yield "linear_part", text


def _rows(term: Term) -> Iterator[list[str]]:
    if term.transform:
        parts = [term.transform, repr(term.centre), repr(term.scale)]
        yield ["number", term.predictor, "", *parts, *map(repr, term.log_odds[""])]
        if term.curve:
            parts[1] = repr(term.middle)
            yield ["curve", term.predictor, "", *parts, *map(repr, term.curve)]
        return
    for value, log_odds in term.log_odds.items():
        yield ["category", term.predictor, value, "", "", "", *map(repr, log_odds)]
