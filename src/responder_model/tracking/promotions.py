"""Log of promotions: a chain of runs, each of which holds the digest of the one before.

What a run says stands in its parameters, which MLflow lets nobody change. A promotion
is written as *intended*, linked to the one before (a parameter too, so that of two at
once only one can be), then the alias is moved, then it is *finished*.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from responder_model.errors import ResponderModelError
from responder_model.words import Note
from .address import database_file
from .evaluation import DIGEST
from .files import artifacts_beside
from .reference import CHALLENGER, CHAMPION
from .registry import Registered, Version, one_at_a_time, opened_registry, registered
from .store import log_values, started_run

# One experiment, whatever a user calls that of the models: one chain for all.
EXPERIMENT = "responder_model promotions"
KIND, STATE, OF = "promotion", "state", "registered_model"
INTENDED, FINISHED, TAKEN_BACK, LOST = "intended", "finished", "taken_back", "lost"
# Parameter that names the run after.
_NEXT = "next"
# Seconds after which a promotion of a server that is not finished counts as cut.
ABANDONED = 60.0
MOST_RECORDS = 5000


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is to be written of a change of the champion.

    Parameters
    ----------
    action : str
        ``promoted``, ``back`` or ``adopted``.
    to : Version
        The champion after it.
    by, reason : str
        Who, and why.
    verdict : str
        Of the gate; empty where none was asked.
    figures : dict of str to float
        Of the gate.
    about : dict of str to str
        Cohort and its digest, and what else the log should say.
    """

    action: str
    to: Version
    by: str
    reason: str
    verdict: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """One change of the champion, as it stands in the log.

    Parameters
    ----------
    run_id : str
    state : str
        ``intended``, ``finished``, ``taken_back`` or ``lost``.
    number : int
        Place in the chain, from 1.
    action : str
        ``promoted``, ``back`` or ``adopted``.
    from_version, to_version : int
        0: no champion; the published model was in use.
    from_digest, to_digest : str
    by, reason, at : str
        Who, why, and when (UTC, ISO 8601).
    verdict : str
    details : str
        Figures of the gate and whom they are about, as JSON.
    previous : str
        Digest of the record before; empty for the first.
    """

    run_id: str
    state: str
    number: int
    action: str
    from_version: int
    from_digest: str
    to_version: int
    to_digest: str
    by: str
    reason: str
    at: str
    verdict: str
    details: str
    previous: str
    next_run: str = ""

    def record(self) -> dict[str, str]:
        """What the chain protects, as it stands in the run."""
        return {name: str(getattr(self, name)) for name in _RECORD}

    @property
    def digest(self) -> str:
        """SHA-256 of the record."""
        text = json.dumps(self.record(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def when(self) -> datetime:
        """Time of the change."""
        return datetime.fromisoformat(self.at)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, with the digest of the record."""
        found = {**asdict(self), "digest": self.digest}
        found["details"] = json.loads(self.details)
        return found


_OUTSIDE = ("run_id", "state", "next_run")
_RECORD = tuple(f.name for f in fields(Promotion) if f.name not in _OUTSIDE)
_NUMBERS = ("number", "from_version", "to_version")


def read_chain(client: MlflowClient, held: Registered) -> tuple[Promotion, ...]:
    """Return the log of a name in the order of its links, what was taken back too.

    Runs that no other leads to, of promotions that lost or never began, are no part.
    """
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is None:
        return ()
    query = f"tags.{OF} = '{held.name}'"
    runs = client.search_runs([found.experiment_id], query, max_results=MOST_RECORDS)
    known = {run.info.run_id: _read(run) for run in runs}
    chain: list[Promotion] = []
    at = _first(client, held, known)
    while at in known and len(chain) < len(known):
        chain.append(known[at])
        at = known[at].next_run
    return tuple(chain)


def _read(run: Any) -> Promotion:
    said = run.data.params
    values: dict[str, Any] = {name: said.get(name, "") for name in _RECORD}
    for name in _NUMBERS:
        values[name] = int(values[name] or 0)
    return Promotion(
        run_id=str(run.info.run_id),
        state=run.data.tags.get(STATE, INTENDED),
        next_run=said.get(_NEXT, ""),
        **values,
    )


def _first(
    client: MlflowClient, held: Registered, known: Mapping[str, Promotion]
) -> str:
    """Run that begins the chain: the oldest version's run says which."""
    anchor = _anchor(client, held)
    named = "" if anchor is None else anchor[1]
    if named in known:
        return named
    # that run is gone: the chain itself tells
    begins = [r for r in known.values() if r.number == 1 and r.state != LOST]
    begins.sort(key=lambda r: (r.state != FINISHED, r.at))
    return begins[0].run_id if begins else ""


def _anchor(client: MlflowClient, held: Registered) -> tuple[str, str] | None:
    """Run of the oldest version that is there, and the first promotion it names."""
    for version in held.versions:
        with suppress(MlflowException):
            run = client.get_run(version.run_id)
            if run.info.lifecycle_stage == "active":
                return version.run_id, run.data.params.get(_first_of(held), "")
    return None


def _first_of(held: Registered) -> str:
    return f"first_promotion.{held.name}"


def champion_of(chain: tuple[Promotion, ...]) -> Promotion | None:
    """Return the record that says who is champion."""
    done = [record for record in chain if record.state == FINISHED]
    return done[-1] if done else None


def champions_before(chain: tuple[Promotion, ...]) -> tuple[Promotion, ...]:
    """Champions that are left when each way back is walked, the present one last."""
    left: list[Promotion] = []
    for record in chain:
        if record.state != FINISHED:
            continue
        if record.action == "back":
            while left and left[-1].to_version != record.to_version:
                left.pop()
        else:
            left.append(record)
    return tuple(left)


def settle(client: MlflowClient, held: Registered, uri: str) -> Note | None:
    """Complete a promotion that was cut after its alias was moved, else take it back.

    Raises
    ------
    ResponderModelError
        For one of a server that may be under way still.
    """
    chain = read_chain(client, held)
    if not chain or chain[-1].state != INTENDED:
        return None
    cut = chain[-1]
    age = (datetime.now(tz=UTC) - cut.when).total_seconds()
    # in a local store its lock says that nobody is at work
    if database_file(uri) is None and age < ABANDONED:
        said = Note("promotion.under_way", name=held.name, by=cut.by, at=_clock(cut))
        raise ResponderModelError(said)
    is_done = held.aliases.get(CHAMPION, 0) == cut.to_version
    _end(client, cut.run_id, FINISHED if is_done else TAKEN_BACK)
    code = "completed" if is_done else "taken_back"
    return Note(f"promotion.{code}", number=cut.number, version=cut.to_version)


def write_promotion(entry: Entry, *, expected: int, uri: str) -> Promotion:
    """Make a version the champion, and log it.

    Parameters
    ----------
    entry : Entry
        What is done, by whom and why.
    expected : int
        Version that must be champion still, by the log; 0 for none.
    uri : str
        Store.

    Raises
    ------
    ResponderModelError
        When another promotion came first, or is under way.
    TrackingError
        If the store cannot be used.
    """
    with opened_registry(uri) as client, one_at_a_time(uri):
        held = _held(client, entry.to.name)
        settle(client, held, uri)
        chain = read_chain(client, held)
        before = champion_of(chain)
        if (0 if before is None else before.to_version) != expected:
            raise ResponderModelError(_lost(held.name, before))
        mine = _intend(client, held, entry, chain, before, uri)
        client.set_registered_model_alias(held.name, CHAMPION, str(entry.to.number))
        if held.aliases.get(CHALLENGER) == entry.to.number:
            client.delete_registered_model_alias(held.name, CHALLENGER)
        _end(client, mine, FINISHED)
        return read_chain(client, held)[-1]


def _held(client: MlflowClient, name: str) -> Registered:
    held = registered(client, name)
    if held is None:
        raise ResponderModelError(Note("registry.not_made", name=name))
    return held


def _lost(name: str, winner: Promotion | None) -> Note:
    if winner is None:
        return Note("promotion.lost_unknown", name=name)
    who = {"version": winner.to_version, "by": winner.by, "at": _clock(winner)}
    return Note("promotion.lost", name=name, **who)


def _clock(record: Promotion) -> str:
    return record.when.strftime("%Y-%m-%d %H:%M UTC")


def _intend(
    client: MlflowClient,
    held: Registered,
    entry: Entry,
    chain: tuple[Promotion, ...],
    before: Promotion | None,
    uri: str,
) -> str:
    """Write a promotion as intended and link it to the one before; return its run."""
    last = chain[-1] if chain else None
    details = json.dumps(
        {**entry.about, **entry.figures}, sort_keys=True, ensure_ascii=False
    )
    record = Promotion(
        run_id="",
        state=INTENDED,
        number=1 + (0 if last is None else last.number),
        action=entry.action,
        from_version=0 if before is None else before.to_version,
        from_digest="" if before is None else before.to_digest,
        to_version=entry.to.number,
        to_digest=entry.to.digest,
        by=entry.by,
        reason=entry.reason,
        at=datetime.now(tz=UTC).isoformat(timespec="seconds"),
        verdict=entry.verdict,
        details=details,
        previous="" if last is None else last.digest,
    )
    tags = {"kind": KIND, OF: held.name, STATE: INTENDED, DIGEST: record.to_digest}
    title = f"{held.name} {record.number}"
    run_id = started_run(client, promotions_experiment(client, uri), title, tags)
    metrics = {k: v for k, v in entry.figures.items() if isfinite(v)}
    log_values(client, run_id, params=record.record(), metrics=metrics)
    if not _link(client, held, last, run_id):
        _end(client, run_id, LOST)
        raise ResponderModelError(_lost(held.name, _winner(client, held, run_id)))
    return run_id


def _link(
    client: MlflowClient, held: Registered, last: Promotion | None, run_id: str
) -> bool:
    """Whether a run is the one that follows: a parameter can be set once only."""
    if last is None:
        anchor = _anchor(client, held)
        if anchor is None:
            return True
        place, name = anchor[0], _first_of(held)
    else:
        place, name = last.run_id, _NEXT
    with suppress(MlflowException):
        client.log_param(place, name, run_id)
    return bool(client.get_run(place).data.params.get(name) == run_id)


def _winner(client: MlflowClient, held: Registered, loser: str) -> Promotion | None:
    """Who came first; waits a little for it to be done."""
    for _ in range(20):
        chain = [r for r in read_chain(client, held) if r.run_id != loser]
        if chain and chain[-1].state != INTENDED:
            return chain[-1]
        time.sleep(0.1)
    return chain[-1] if chain else None


def _end(client: MlflowClient, run_id: str, state: str) -> None:
    client.set_tag(run_id, STATE, state)
    client.set_terminated(run_id, "FINISHED" if state == FINISHED else "KILLED")


def promotions_experiment(client: MlflowClient, uri: str) -> str:
    """Experiment of the log, made when it is not there; it keeps no files."""
    known = client.get_experiment_by_name(EXPERIMENT)
    if known is None:
        database = database_file(uri)
        place = None if database is None else artifacts_beside(database)
        # another may have made it meanwhile
        with suppress(MlflowException):
            client.create_experiment(EXPERIMENT, artifact_location=place)
        known = client.get_experiment_by_name(EXPERIMENT)
    return str(known.experiment_id)
