"""Comparisons that promoted nobody: counted, so that asking until one passes shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from mlflow import MlflowClient

from .evaluation import DIGEST
from .promotions import EXPERIMENT, MOST_RECORDS, promotions_experiment
from .registry import Version, opened_registry
from .store import log_values, started_run

KIND, OF = "comparison", "compared_model"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One comparison after which the champion stayed.

    Parameters
    ----------
    from_version, to_version : int
        Champion (0: the published model) and challenger.
    to_digest : str
        Of the challenger.
    verdict : str
        Of the gate.
    by, reason, at : str
        Who asked, why, and when (UTC, ISO 8601).
    details : str
        Figures of the gate and whom they are about, as JSON.
    """

    from_version: int
    to_version: int
    to_digest: str
    verdict: str
    by: str
    reason: str
    at: str
    details: str

    @property
    def when(self) -> datetime:
        """Time of the comparison."""
        return datetime.fromisoformat(self.at)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        details = json.loads(self.details)
        return {"state": "refused", **asdict(self), "details": details}


def write_refusal(
    to: Version,
    *,
    champion: int,
    verdict: str,
    by: str,
    reason: str,
    figures: Mapping[str, float],
    about: Mapping[str, str],
    uri: str,
) -> None:
    """Log a comparison after which the champion stayed, as a run of its own.

    Parameters
    ----------
    to : Version
        The challenger.
    champion : int
        Version that stayed; 0 for the published model.
    verdict, by, reason, figures, about
        As for ``promotions.Entry``.
    uri : str
        Store.

    Raises
    ------
    TrackingError
        If the store cannot be used.
    """
    details = json.dumps({**about, **figures}, sort_keys=True, ensure_ascii=False)
    refusal = Refusal(
        from_version=champion,
        to_version=to.number,
        to_digest=to.digest,
        verdict=verdict,
        by=by,
        reason=reason,
        at=datetime.now(tz=UTC).isoformat(timespec="seconds"),
        details=details,
    )
    params = {name: str(value) for name, value in asdict(refusal).items()}
    metrics = {name: value for name, value in figures.items() if isfinite(value)}
    tags = {"kind": KIND, OF: to.name, DIGEST: to.digest}
    with opened_registry(uri) as client:
        place = promotions_experiment(client, uri)
        run_id = started_run(client, place, f"{to.name} compared", tags)
        log_values(client, run_id, params=params, metrics=metrics)
        client.set_terminated(run_id)


def read_refusals(client: MlflowClient, name: str) -> tuple[Refusal, ...]:
    """Comparisons of a name that promoted nobody, oldest first; whole runs only."""
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is None:
        return ()
    query = f"tags.{OF} = '{name}' and attributes.status = 'FINISHED'"
    runs = client.search_runs([found.experiment_id], query, max_results=MOST_RECORDS)
    refusals = [_read(run.data.params) for run in runs]
    return tuple(sorted(refusals, key=lambda refusal: refusal.at))


def _read(said: Mapping[str, str]) -> Refusal:
    values: dict[str, Any] = dict(said)
    for name in ("from_version", "to_version"):
        values[name] = int(values[name])
    return Refusal(**values)
