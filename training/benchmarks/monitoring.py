"""How often monitoring is wrong, and how long it waits, beside what others do.

python training/benchmarks/monitoring.py [--series N] [--seed S] [--inputs GROUPS]
    [--out FILE]

Five years of 60 patients, four levels, log-odds of standard deviation 0.65. For each
method: series with an alarm though nothing changed, and though the model is off by its
own uncertainty; then median patients until the alarm, and series with one, for a
shift at once and after two years. The detectors of river are run where it is installed,
on the Pearson residual of the yes/no outcome.

With ``--inputs``: groups of 8, 60 and 300 patients, each with a population estimated
anew from 60 or 200 others; predictors named though the patients are alike, and how
often age is where the group is half an SD older.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

import responder_model as rm
from responder_model.features import Population
from responder_model.model import Model
from responder_model.model.scores import probability_of
from responder_model.monitoring import (
    ALARM,
    Series,
    early_warning,
    evidence_of_change,
    inputs_of,
)
from stamp import stamped

CUTS, CENTRE, SD, N, A_YEAR = np.array([1.25, 0.0, -1.05]), -0.35, 0.65, 300, 60
NEVER = 10**6
Method = Callable[[Series], np.ndarray]


def drawn(n_series: int, seed: int, *, shift=0.0, since=0, off=0.0) -> Series:
    rng = np.random.default_rng(seed)
    served = CENTRE + SD * rng.normal(size=(n_series, N, 1)) + CUTS
    moved = np.where(np.arange(N) >= since, shift, 0.0)
    moved = moved + off * rng.normal(size=(n_series, 1))
    passed = rng.random((n_series, N, 1)) < probability_of(served + moved[..., None])
    level = passed.sum(axis=-1)
    return Series(log_odds=served, lower=level, upper=level, centre=CENTRE)


def yes_no(series: Series) -> Series:
    yes = (series.lower >= 2).astype(np.int64)
    return Series(
        log_odds=series.log_odds[..., 1:2], lower=yes, upper=yes, centre=CENTRE
    )


def first(reached: np.ndarray) -> np.ndarray:
    return np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, NEVER)


def by_evidence(series: Series) -> np.ndarray:
    return first(evidence_of_change(series).log_e >= np.log(ALARM))


def residuals(series: Series) -> tuple[np.ndarray, np.ndarray]:
    p = probability_of(series.log_odds[..., 1])
    return (series.lower >= 2) - p, p * (1 - p)


def naive(series: Series) -> np.ndarray:
    more, variance = (np.cumsum(x, axis=1) for x in residuals(series))
    looked = (np.arange(N) + 1) % (A_YEAR // 4) == 0
    return first((np.abs(more) > 1.96 * np.sqrt(variance)) & looked)


def last_year(series: Series) -> np.ndarray:
    more, variance = (np.cumsum(x, axis=1) for x in residuals(series))
    reached = np.zeros(more.shape, dtype=bool)
    for end in range(A_YEAR - 1, N, A_YEAR // 4):
        start = end - A_YEAR
        by = more[:, end] - (more[:, start] if start >= 0 else 0.0)
        of = variance[:, end] - (variance[:, start] if start >= 0 else 0.0)
        reached[:, end] = np.abs(by) > 1.96 * np.sqrt(of)
    return first(reached)


def warned(threshold: float) -> Method:
    return lambda series: first(early_warning(series) >= threshold)


def of_river() -> dict[str, Method]:
    """Detectors of river on residuals, series by series; none without river."""
    try:
        from river import drift
    except ImportError:
        return {}

    def run(make: Callable[[], object]) -> Method:
        def method(series: Series) -> np.ndarray:
            by, of = residuals(series)
            waits = []
            for stream in (by / np.sqrt(of))[:300]:
                detector = make()
                at = NEVER
                for place, value in enumerate(stream):
                    detector.update(float(value))
                    if detector.drift_detected:
                        at = place + 1
                        break
                waits.append(at)
            return np.array(waits)

        return method

    return {
        "river ADWIN (300 series)": run(drift.ADWIN),
        "river Page-Hinkley (300 series)": run(drift.PageHinkley),
        "river KSWIN (300 series)": run(lambda: drift.KSWIN(seed=0)),
    }


# Shift, and patients before it.
SHIFTS = ((0.5, 0), (0.5, 120), (1.0, 0), (1.0, 120))
# The most, and the least, that is asked of the monitor and of the early warning.
MOST = {"false": 0.05, "0.5 at 0": 115, "0.5 at 120": 155, "1.0 at 0": 40}
MOST["1.0 at 120"] = 55
LEAST = {"found, 0.5 at 0": 0.94, "found, 0.5 at 120": 0.6}
BARS = {
    "monitor, levels, E >= 20": MOST | LEAST,
    "early warning, levels": {"false": 0.06, "0.5 at 120": 105},
}


def measured(name: str, method: Method, n_series: int, seed: int) -> dict[str, object]:
    """Share of series with a false alarm; median wait and share found of each shift."""
    found = {
        "false": (method(drawn(n_series, seed)) < NEVER).mean(),
        "off by 0.16": (method(drawn(n_series, seed + 1, off=0.16)) < NEVER).mean(),
    }
    for shift, since in SHIFTS:
        at = method(drawn(n_series, seed + 2, shift=shift, since=since))
        waited = at[at > since] - since
        median = np.median(waited)
        found[f"{shift} at {since}"] = np.nan if median > N - since else median
        found[f"found, {shift} at {since}"] = (waited <= N - since).mean()
    missed = [
        one
        for one, bar in BARS.get(name, {}).items()
        if not (found[one] >= bar if one in LEAST else found[one] <= bar)
    ]
    return {
        "method": name,
        "series": n_series,
        **{one: round(float(value), 4) for one, value in found.items()},
        "missed": "; ".join(missed) if name in BARS else None,
    }


def with_population(model: Model, cohort: pd.DataFrame) -> Model:
    """The model as if it had learned its population from a cohort."""
    z = model.encoder.encode(model.encoder.raw(cohort))
    return replace(model, population=Population.estimate(z, model.encoder))


def inputs(n_groups: int, seed: int) -> None:
    """Print how often e-BH names a predictor, alike and half an SD older."""
    published = rm.published_model("rtms_response", moment="screening")
    print("| learned from | group | predictors named | groups with one | age, older |")
    print("|---" * 5 + "|")
    for n_learned in (60, 200):
        for n in (8, 60, 300):
            drawn = rm.simulate_cohort(n_patients=n_groups * (n_learned + n), seed=seed)
            false, groups, older, tried = 0, 0, 0, 0
            for k in range(n_groups):
                part = drawn.iloc[k * (n_learned + n) : (k + 1) * (n_learned + n)]
                model = with_population(published, part.iloc[:n_learned])
                found = inputs_of(model, part.iloc[n_learned:])
                named = sum(one.is_flagged for one in found)
                false, groups, tried = false + named, groups + (named > 0), len(found)
                aged = part.iloc[n_learned:].assign(age=part["age"] + 6.5)
                found = inputs_of(model, aged)
                older += any(o.is_flagged and o.predictor == "age" for o in found)
            share = 100 * false / (n_groups * tried)
            shares = [f"{100 * count / n_groups:.1f} %" for count in (groups, older)]
            cells = [str(n_learned), str(n), f"{share:.2f} %", *shares]
            print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--inputs", type=int, default=0, metavar="GROUPS")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if args.inputs:
        inputs(args.inputs, args.seed)
        return
    unchanged = early_warning(drawn(args.series, args.seed + 9)).max(axis=1)
    methods: dict[str, Method] = {
        "monitor, levels, E >= 20": by_evidence,
        "the same, yes/no": lambda series: by_evidence(yes_no(series)),
        "early warning, levels": warned(float(np.quantile(unchanged, 0.95))),
        "|z| of O - E each quarter": naive,
        "O/E of the last year": last_year,
        **of_river(),
    }
    rows = []
    for name, method in methods.items():
        rows.append(measured(name, method, args.series, args.seed))
        table = stamped(pd.DataFrame(rows))
        if args.out:
            table.to_csv(args.out, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
