"""MLflow's registry: versions of models under a name, and which of them an alias names.

A version is found by the digest of its model folder, never by where its files are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from responder_model.errors import ResponderModelError, UntrustedModelError, got
from responder_model.words import Note
from .address import chosen_tracking_uri, database_file, shown_uri
from .evaluation import DIGEST
from .files import ARTIFACTS, alone
from .reference import CHALLENGER, CHAMPION, Reference, registry_name, target_of
from .store import opened

# Tag of a name whose models learned from simulated patients.
SIMULATED = "simulated"
_ABSENT = "RESOURCE_DOES_NOT_EXIST"
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Version:
    """A registered version of a model.

    Parameters
    ----------
    name : str
        Name in the registry.
    number : int
        Version; MLflow gives text from a server and a number from a database.
    digest : str
        Digest of its model folder; empty where it was registered by other means.
    run_id : str
        The run that made it.
    """

    name: str
    number: int
    digest: str
    run_id: str


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A name of the registry, with its versions and aliases.

    Parameters
    ----------
    name : str
    versions : tuple of Version
        By number.
    aliases : dict of str to int
        Version that each alias names.
    is_simulated : bool
        Whether it is for models of simulated patients, and for no others.
    """

    name: str
    versions: tuple[Version, ...]
    aliases: dict[str, int]
    is_simulated: bool

    def version(self, number: int | None) -> Version | None:
        """Return the version of a number; None where there is none."""
        return next((v for v in self.versions if v.number == number), None)

    @property
    def champion(self) -> Version | None:
        """Version that the alias ``champion`` names."""
        return self.version(self.aliases.get(CHAMPION))


@contextmanager
def opened_registry(tracking_uri: str) -> Iterator[MlflowClient]:
    """Client of a store with a registry; a local one that is not there is not made.

    Raises
    ------
    UntrustedModelError
        For a local store that does not exist.
    TrackingError
        If the store cannot be used.
    """
    database = database_file(tracking_uri)
    if database is not None and not database.is_file():
        said = Note("registry.no_store", store=shown_uri(tracking_uri))
        raise UntrustedModelError(said)
    with opened(tracking_uri) as client:
        yield client


def one_at_a_time(tracking_uri: str) -> AbstractContextManager[None]:
    """Let one registration or promotion work in a local store; others wait."""
    database = database_file(tracking_uri)
    if database is None:
        return nullcontext()
    place = database.parent / ARTIFACTS
    place.mkdir(exist_ok=True)
    return alone(place)


def registered(client: MlflowClient, name: str) -> Registered | None:
    """Return what the registry holds under a name; None where nothing is."""
    try:
        found = client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != _ABSENT:
            raise
        return None
    versions = [
        _version(v) for v in client.search_model_versions(f"name = '{found.name}'")
    ]
    return Registered(
        name=found.name,
        versions=tuple(sorted(versions, key=lambda v: v.number)),
        aliases={alias: int(number) for alias, number in found.aliases.items()},
        is_simulated=found.tags.get(SIMULATED) == "true",
    )


def _version(found: Any) -> Version:
    digest = found.tags.get(DIGEST, "")
    return Version(
        name=found.name,
        number=int(found.version),
        digest=digest if _DIGEST.fullmatch(digest) else "",
        run_id=found.run_id or "",
    )


def registered_names(client: MlflowClient) -> tuple[str, ...]:
    """Names of the registry that are a question and moment of the dictionary."""
    found = client.search_registered_models(max_results=1000)
    return tuple(sorted(m.name for m in found if target_of(m.name) is not None))


def find_version(client: MlflowClient, reference: Reference) -> Version:
    """Return the version that a reference names.

    Raises
    ------
    UntrustedModelError
        For a name, version or alias that is not there, with those that are.
    """
    held = registered(client, reference.name)
    if held is None:
        raise UntrustedModelError(unknown_name(client, reference.name))
    number = reference.number
    if number is None:
        number = held.aliases.get(reference.alias)
        if number is None:
            raise UntrustedModelError(_unknown_alias(held, reference.alias))
    version = held.version(number)
    if version is None:
        there = tuple(v.number for v in held.versions) or (Note("registry.none"),)
        said = Note("registry.version", name=held.name, got=number, there=there)
        raise UntrustedModelError(said)
    if not version.digest:
        said = Note("registry.foreign", name=held.name, number=number)
        raise UntrustedModelError(said)
    return version


def unknown_name(client: MlflowClient, name: str) -> Note:
    """Say that a name is not registered, and which ones near it are."""
    names = registered_names(client)
    if not names:
        return Note("registry.empty", name=name)
    near = get_close_matches(name, names, n=3) or names
    return Note("registry.name", name=name, there=tuple(near))


def _unknown_alias(held: Registered, alias: str) -> Note:
    target = target_of(held.name)
    if alias == CHAMPION and target is not None:
        return Note("registry.no_champion", name=held.name, target=target)
    there = tuple(sorted(held.aliases)) or (Note("registry.none"),)
    return Note(
        "registry.alias", name=held.name, alias=got(alias, held.aliases), there=there
    )


def register_run(
    run_id: str,
    *,
    digest: str,
    target: str,
    simulated: bool,
    for_simulated: bool = False,
    tracking_uri: str | None = None,
) -> tuple[Version, bool]:
    """Register the model of a run under ``decision.moment``, as the challenger.

    Parameters
    ----------
    run_id : str
        A whole run that holds the model.
    digest, target : str
        Digest of its folder, and ``decision@moment``.
    simulated : bool
        Whether it learned from simulated patients.
    for_simulated : bool
        Mark the name, when it is new, as one for models of simulated patients.
    tracking_uri : str, optional
        As ``chosen_tracking_uri``.

    Returns
    -------
    (Version, bool)
        The version, and whether it is new: one digest is never two versions.

    Raises
    ------
    ResponderModelError
        For a simulated model in a registry of real ones, and the other way round.
    """
    uri = chosen_tracking_uri(tracking_uri)
    name = registry_name(target)
    with opened_registry(uri) as client, one_at_a_time(uri):
        held = registered(client, name)
        if held is not None and held.versions:
            _check_kind(name, simulated=simulated, marked=held.is_simulated)
        else:  # a name without models may still become one of either kind
            _check_kind(name, simulated=simulated, marked=for_simulated)
            held = _new_name(client, name, simulated=simulated)
        known = next((v for v in held.versions if v.digest == digest), None)
        if known is not None:
            return known, False
        version = _new_version(client, name, run_id, digest)
        client.set_registered_model_alias(name, CHALLENGER, str(version.number))
    return version, True


def _check_kind(name: str, *, simulated: bool, marked: bool) -> None:
    if marked != simulated:
        code = "real_in_simulated" if marked else "simulated_in_real"
        raise ResponderModelError(Note(f"registry.{code}", name=name))


def _new_name(client: MlflowClient, name: str, *, simulated: bool) -> Registered:
    """Return a name of no models yet, made when it is not there, and marked."""
    # another may have made it meanwhile
    with suppress(MlflowException):
        client.create_registered_model(name)
    mark = "true" if simulated else "false"
    client.set_registered_model_tag(name, SIMULATED, mark)
    held = registered(client, name)
    if held is None:
        raise ResponderModelError(Note("registry.not_made", name=name))
    return held


def _new_version(client: MlflowClient, name: str, run_id: str, digest: str) -> Version:
    """Make a version; where another one of the digest came first, keep that."""
    model_id = client.get_run(run_id).outputs.model_outputs[-1].model_id
    # MLflow looks for models:/ID in the store of the process, whatever the client's is
    place = client.get_logged_model(model_id).artifact_location
    made = client.create_model_version(
        name, place, run_id, tags={DIGEST: digest}, model_id=model_id
    )
    mine = _version(made)
    held = registered(client, name)
    same = [] if held is None else [v for v in held.versions if v.digest == digest]
    if same and same[0].number < mine.number:
        client.delete_model_version(name, str(mine.number))
        return same[0]
    return mine
