"""Change the champion of a registry, by the gate or back, and read who was champion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from responder_model.artifact import load_model, trusted_keys
from responder_model.development.published import published_model
from responder_model.errors import ResponderModelError, UntrustedModelError
from responder_model.tracking import cohort_digest
from responder_model.tracking.cache import fetch_version, stored_fault
from responder_model.tracking.promotions import (
    FINISHED,
    INTENDED,
    Entry,
    Promotion,
    champion_of,
    champions_before,
    read_chain,
    settle,
    write_promotion,
)
from responder_model.tracking.reference import CHAMPION, target_of
from responder_model.tracking.refusals import Refusal, read_refusals, write_refusal
from responder_model.tracking.registry import (
    Registered,
    Version,
    one_at_a_time,
    opened_registry,
    registered,
    registered_names,
    unknown_name,
)
from responder_model.words import Note
from .asking import check_reason, version_of
from .comparison import Comparison, compare

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient

    from responder_model.model import Model


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A name of the registry beside its log.

    Parameters
    ----------
    held : Registered
    chain : tuple of Promotion
    settled : Note or None
        What became of a promotion that had been cut.
    refused : tuple of Refusal
        Comparisons that promoted nobody.
    """

    held: Registered
    chain: tuple[Promotion, ...]
    settled: Note | None = None
    refused: tuple[Refusal, ...] = ()

    @property
    def champion(self) -> Promotion | None:
        """Record that says who is champion."""
        return champion_of(self.chain)

    @property
    def number(self) -> int:
        """Version that is champion by the log; 0 for none."""
        return 0 if self.champion is None else self.champion.to_version

    @property
    def moved(self) -> Note | None:
        """That the alias names another than the log does; None where it does not."""
        now = self.held.aliases.get(CHAMPION, 0)
        is_cut = self.chain and self.chain[-1].state == INTENDED
        if now == self.number or is_cut:
            return None
        parts = {"name": self.held.name, "now": now, "logged": self.number}
        return Note("promotion.moved" if now else "promotion.alias_gone_log", **parts)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What became of a promotion.

    Parameters
    ----------
    version : Version
        The challenger.
    comparison : Comparison
    promotion : Promotion or None
        Its record; None where it was refused.
    champion : int
        Version that it was compared with; 0 for the published model.
    settled : Note or None
        As ``Standing``.
    """

    version: Version
    comparison: Comparison
    promotion: Promotion | None
    champion: int
    settled: Note | None = None


def promote(
    text: str,
    cohort: pd.DataFrame,
    *,
    reason: str,
    by: str,
    threshold: float,
    uri: str,
    accept_uncertain: bool = False,
) -> Decision:
    """Make a registered model the champion if the gate lets it through.

    Parameters
    ----------
    text : str
        Folder, digest, ``models:/NAME/VERSION`` or ``models:/NAME@ALIAS``.
    cohort : DataFrame
        New patients, on whom it is compared with the champion, or with the published
        model where there is none.
    reason, by : str
        Why, and who: both are logged.
    threshold : float
        Threshold probability of the clinic.
    uri : str
        Store.
    accept_uncertain : bool
        Whether one that is only probably better is promoted.

    Raises
    ------
    ResponderModelError
        For a model that is champion already, a champion that was moved by hand, an
        empty reason, another promotion that came first; and as ``compare``.
    UntrustedModelError, TrackingError
        As ``tracking.fetch``.
    """
    check_reason(reason)
    with opened_registry(uri) as client:
        version = version_of(client, text)
        at = _standing(client, version.name, uri)
        _check_unmoved(at)
        if at.number == version.number:
            which = {"name": version.name, "number": version.number}
            raise ResponderModelError(Note("promotion.is_champion", **which))
        challenger = _load(client, version, uri)
        champion = _champion(client, at, challenger, uri)
    found = compare(
        champion,
        challenger,
        cohort,
        threshold=threshold,
        simulated=at.held.is_simulated,
    )
    about = {"cohort": str(cohort.attrs.get("name", ""))}
    about["cohort_digest"] = cohort_digest(cohort) or ""
    told: dict[str, Any] = {
        "by": by,
        "reason": reason,
        "verdict": found.verdict,
        "figures": found.figures(),
        "about": about,
    }
    record = None
    if found.verdict == "better" or (
        found.verdict == "probably_better" and accept_uncertain
    ):
        entry = Entry(action="promoted", to=version, **told)
        record = write_promotion(entry, expected=at.number, uri=uri)
    else:
        write_refusal(version, champion=at.number, uri=uri, **told)
    return Decision(
        version=version,
        comparison=found,
        promotion=record,
        champion=at.number,
        settled=at.settled,
    )


def go_back(name: str, *, reason: str, by: str, uri: str) -> Promotion:
    """Make the champion before champion again, once its files are found intact.

    Raises
    ------
    ResponderModelError
        Where none came before, and as ``promote``.
    """
    check_reason(reason)
    with opened_registry(uri) as client:
        at = _standing(client, name, uri)
        _check_unmoved(at)
        left = champions_before(at.chain)
        if len(left) < 2:
            code = "none_before" if left else "never_one"
            target = target_of(name) or name
            said = Note(f"promotion.{code}", name=name, target=target)
            raise ResponderModelError(said)
        version = at.held.version(left[-2].to_version)
        if version is None:
            which = {"name": name, "number": left[-2].to_version}
            raise ResponderModelError(Note("promotion.version_gone", **which))
        _load(client, version, uri)
    entry = Entry(action="back", to=version, by=by, reason=reason)
    return write_promotion(entry, expected=at.number, uri=uri)


def adopt(name: str, *, reason: str, by: str, uri: str) -> Promotion:
    """Write into the log that somebody moved the alias by hand, and why it stays.

    Raises
    ------
    ResponderModelError
        Where alias and log agree, or the alias was removed; and as ``promote``.
    """
    check_reason(reason)
    with opened_registry(uri) as client:
        at = _standing(client, name, uri)
        version = at.held.champion
        if version is None or at.moved is None:
            code = "nothing_to_adopt" if version is not None else "alias_gone"
            said = Note(f"promotion.{code}", name=name, number=at.number)
            raise ResponderModelError(said)
        _load(client, version, uri)
    entry = Entry(action="adopted", to=version, by=by, reason=reason)
    return write_promotion(entry, expected=at.number, uri=uri)


def read_standing(name: str, *, uri: str) -> Standing:
    """Return a name of the registry beside its log, nothing changed.

    Raises
    ------
    UntrustedModelError
        For a name that is not registered.
    """
    with opened_registry(uri) as client:
        held = _held(client, name)
        refused = read_refusals(client, held.name)
        return Standing(held=held, chain=read_chain(client, held), refused=refused)


def on_day(
    chain: tuple[Promotion, ...], day: date
) -> tuple[tuple[Promotion | None, datetime | None], ...]:
    """Return who was champion on a day (UTC), each with the time from which; in order.

    None as a champion: there was none yet. None as a time: since before that day.
    """
    done = [record for record in chain if record.state == FINISHED]
    before = [record for record in done if record.when.date() < day]
    during = [record for record in done if record.when.date() == day]
    start = before[-1] if before else None
    return ((start, None), *((record, record.when) for record in during))


def check_registry(*, uri: str) -> dict[str, tuple[Note, ...]]:
    """Return what does not agree of each name: aliases, digests, files, log.

    A promotion that was cut is completed or taken back first, and said.
    """
    with opened_registry(uri) as client:
        return {
            name: tuple(_faults(client, name, uri)) for name in registered_names(client)
        }


def _faults(client: MlflowClient, name: str, uri: str) -> Iterator[Note]:
    at = _standing(client, name, uri)
    if at.settled is not None:
        yield at.settled
    for version in at.held.versions:
        which = {"name": name, "number": version.number}
        if not version.digest:
            yield Note("registry.foreign", **which)
            continue
        fault = stored_fault(client, version, uri)
        if fault is not None:
            yield fault.said
    if at.moved is not None:
        yield at.moved
    yield from _broken_links(at)


def _broken_links(at: Standing) -> Iterator[Note]:
    """Where the log is not as it was written, or names what is not there."""
    previous = ""
    for number, record in enumerate(at.chain, start=1):
        if (record.previous, record.number) != (previous, number):
            yield Note("promotion.broken", name=at.held.name, number=number)
        previous = record.digest
        version = at.held.version(record.to_version)
        which = {"name": at.held.name, "number": record.number}
        if version is None:
            yield Note("promotion.names_gone", version=record.to_version, **which)
        elif version.digest != record.to_digest:
            yield Note("promotion.other_digest", version=record.to_version, **which)


def _held(client: MlflowClient, name: str) -> Registered:
    held = registered(client, name)
    if held is None:
        raise UntrustedModelError(unknown_name(client, name))
    return held


def _standing(client: MlflowClient, name: str, uri: str) -> Standing:
    with one_at_a_time(uri):
        held = _held(client, name)
        settled = settle(client, held, uri)
        chain = read_chain(client, held)
    return Standing(held=held, chain=chain, settled=settled)


def _check_unmoved(at: Standing) -> None:
    if at.moved is not None:
        raise ResponderModelError(at.moved)


def _load(client: MlflowClient, version: Version, uri: str) -> Model:
    folder = fetch_version(client, version, uri)
    return load_model(folder, trusted_keys=trusted_keys())


def _champion(client: MlflowClient, at: Standing, challenger: Model, uri: str) -> Model:
    """Return the model in use: the champion, else the published one.

    The published one leaves out what the challenger does, so that neither has seen the
    patients of that evidence.
    """
    if at.champion is None:
        return published_model(
            challenger.decision,
            challenger.moment,
            exclude_evidence=challenger.excluded_evidence,
        )
    version = at.held.version(at.number)
    if version is None:
        which = {"name": at.held.name, "number": at.number}
        raise ResponderModelError(Note("promotion.version_gone", **which))
    return _load(client, version, uri)
