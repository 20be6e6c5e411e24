"""The record of one patient, as resources: who it is, and what does not belong here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from responder_model.errors import ResponderModelError
from responder_model.words import Note
from .elements import MalformedError, Plain, part, rows, text

# What is read of a record; other resources are left alone.
READ = ("Condition", "Observation", "QuestionnaireResponse")
# Bundles that hold resources as they stand.
_BUNDLES = ("collection", "searchset")
_PATIENT = "Patient"


class RecordError(ResponderModelError):
    """A record that cannot be read as that of one patient.

    Parameters
    ----------
    said : Note
        What is wrong; no value.
    at : str
        Where, as a FHIRPath expression.
    """

    def __init__(self, said: Note, *, at: str) -> None:
        super().__init__(said)
        self.at = at


class Resource(NamedTuple):
    """One resource: its type, what it says, its address, and where it stood."""

    kind: str
    body: Plain
    url: str
    at: str

    @property
    def reference(self) -> str:
        """Reference to it; empty where it has neither id nor address."""
        own = text(self.body, "id")
        return f"{self.kind}/{own}" if own else self.url


@dataclass(frozen=True, kw_only=True)
class Record:
    """One patient and the resources that are read of the record.

    Parameters
    ----------
    patient : Resource
    resources : tuple of Resource
        Conditions, observations and responses of this patient.
    unsent : tuple of str
        Types of which the record holds more than was sent, or none was sent.
    remarks : tuple of Note
        What was left out, and why.
    """

    patient: Resource
    resources: tuple[Resource, ...]
    unsent: tuple[str, ...] = ()
    remarks: tuple[Note, ...] = ()

    def of_kind(self, kind: str) -> Iterator[Resource]:
        """Resources of one type."""
        return (row for row in self.resources if row.kind == kind)


def record_of_bundle(bundle: Any) -> Record:
    """Read a Bundle that holds the whole record of one patient.

    Raises
    ------
    RecordError
        For no Bundle, a page of a longer one, and any other number of patients than
        one.
    """
    if not isinstance(bundle, Mapping) or bundle.get("resourceType") != "Bundle":
        raise RecordError(Note("interchange.no_bundle"), at="Bundle")
    if bundle.get("type") not in _BUNDLES:
        said = Note("interchange.bundle_type", known=_BUNDLES)
        raise RecordError(said, at="Bundle.type")
    found, is_whole = read_bundle(bundle, "Bundle")
    if not is_whole:
        raise RecordError(Note("interchange.page_of_many"), at="Bundle")
    patients = [row for row in found if row.kind == _PATIENT]
    if len(patients) != 1:
        raise RecordError(Note("interchange.one_patient"), at="Bundle.entry")
    return record_of(patients[0], found)


def record_of(
    patient: Resource,
    found: Iterable[Resource],
    *,
    unsent: Mapping[str, Note] | None = None,
    remarks: Iterable[Note] = (),
    server: str = "",
) -> Record:
    """Record of a patient; what belongs to another one is refused.

    Parameters
    ----------
    patient : Resource
    found : iterable of Resource
    unsent : mapping, optional
        Types that are not complete, and how that is said; what was sent of them is left
        out.
    remarks : iterable of Note, optional
        What else must be said of what was sent.
    server : str, optional
        Address under which the record's own references are absolute.

    Raises
    ------
    RecordError
        For a patient without identity or that is merged into another one, a resource
        of somebody else, and one whose elements have other types than FHIR's.
    """
    _check_patient(patient)
    own = _names_of(patient, server)
    unsent = unsent or {}
    kept, said = [], [*unsent.values(), *remarks]
    for row in found:
        if row.kind not in READ or row.kind in unsent:
            continue
        try:
            subject = text(part(row.body, "subject"), "reference")
        except MalformedError:
            raise malformed(row) from None
        if subject and subject.partition("/_history/")[0] not in own:
            raise RecordError(Note("interchange.other_patient"), at=row.at)
        if subject:
            kept.append(row)
        else:
            said.append(Note("interchange.no_subject", kind=row.kind))
    return Record(
        patient=patient,
        resources=tuple(kept),
        unsent=tuple(unsent),
        remarks=tuple(dict.fromkeys(said)),
    )


def _check_patient(patient: Resource) -> None:
    if not patient.reference:
        raise RecordError(Note("interchange.no_identity"), at=patient.at)
    try:
        links = {text(link, "type") for link in rows(patient.body, "link")}
    except MalformedError:
        raise malformed(patient) from None
    if "replaced-by" in links or "modifierExtension" in patient.body:
        raise RecordError(Note("interchange.replaced"), at=patient.at)


def _names_of(patient: Resource, server: str) -> set[str]:
    """All by which resources of the record may refer to their patient."""
    own = text(patient.body, "id")
    names = {patient.reference, patient.url}
    if own and server:
        names.add(f"{server.removesuffix('/')}/{_PATIENT}/{own}")
    return names - {""}


def read_bundle(bundle: Plain, at: str) -> tuple[list[Resource], bool]:
    """Resources of a Bundle, and whether it holds all that its search found.

    Raises
    ------
    RecordError
        For one that is none.
    """
    try:
        is_whole = not any(text(r, "relation") == "next" for r in rows(bundle, "link"))
        found, matches = [], 0
        for number, entry in enumerate(rows(bundle, "entry")):
            body = part(entry, "resource")
            row = Resource(
                kind=text(body, "resourceType"),
                body=body,
                url=text(entry, "fullUrl"),
                at=f"{at}.entry[{number}].resource",
            )
            text(body, "id")
            mode = text(part(entry, "search"), "mode")
            if row.kind == "OperationOutcome":
                is_whole = is_whole and not _fails(body)
            elif mode in ("", "match"):
                matches += 1
            found.append(row)
        total = bundle.get("total")
        if isinstance(total, int) and total > matches:
            is_whole = False
    except MalformedError:
        raise RecordError(Note("interchange.malformed"), at=at) from None
    return found, is_whole


def _fails(outcome: Plain) -> bool:
    """Whether an OperationOutcome tells of more than information."""
    kinds = {text(issue, "severity") for issue in rows(outcome, "issue")}
    return kinds != {"information"}


def malformed(resource: Resource) -> RecordError:
    """Refusal of a resource whose elements have other types than FHIR's."""
    return RecordError(Note("interchange.malformed"), at=resource.at)
