"""How often monitoring is wrong, and how long it waits, beside what others do.

python training/benchmarks/monitoring.py [--series N] [--seed S]

Five years of 60 patients, four levels, log-odds of standard deviation 0.65. For each
method: series with an alarm though nothing changed, and though the model is off by its
own uncertainty; then median patients until the alarm, and series with one, for a
shift at once and after two years. The detectors of river are run where it is installed,
on the Pearson residual of the yes/no outcome.
"""

import argparse
from collections.abc import Callable

import numpy as np

from responder_model.model.scorer import probability_of
from responder_model.monitoring import ALARM, Series, early_warning, evidence_of_change

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


def row(name: str, method: Method, n_series: int, seed: int) -> str:
    false = (method(drawn(n_series, seed)) < NEVER).mean()
    off = (method(drawn(n_series, seed + 1, off=0.16)) < NEVER).mean()
    cells = [f"{100 * false:.1f} %", f"{100 * off:.0f} %"]
    for shift, since in ((0.5, 0), (0.5, 120), (1.0, 0), (1.0, 120)):
        at = method(drawn(n_series, seed + 2, shift=shift, since=since))
        waited = at[at > since] - since
        median = np.median(waited)
        shown = "not" if median > N - since else f"{median:.0f}"
        cells.append(f"{shown} / {100 * (waited <= N - since).mean():.0f} %")
    return f"| {name} | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20)
    args = parser.parse_args()
    unchanged = early_warning(drawn(args.series, args.seed + 9)).max(axis=1)
    methods: dict[str, Method] = {
        "monitor, levels, E >= 20": by_evidence,
        "the same, yes/no": lambda series: by_evidence(yes_no(series)),
        "early warning, levels": warned(float(np.quantile(unchanged, 0.95))),
        "|z| of O - E each quarter": naive,
        "O/E of the last year": last_year,
        **of_river(),
    }
    heads = ["false alarms", "off by 0.16", "0.5 at once", "0.5 after 120"]
    heads += ["1.0 at once", "1.0 after 120"]
    print("| method | " + " | ".join(heads) + " |")
    print("|---" * (len(heads) + 1) + "|")
    for name, method in methods.items():
        print(row(name, method, args.series, args.seed), flush=True)


if __name__ == "__main__":
    main()
