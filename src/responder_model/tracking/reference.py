"""What a registered model is called: ``models:/NAME/VERSION``, ``…NAME@ALIAS``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from responder_model.errors import UntrustedModelError
from responder_model.schema import dictionary
from responder_model.vocabulary import show
from responder_model.words import Note

SCHEME = "models:/"
CHAMPION, CHALLENGER = "champion", "challenger"
_FORM = re.compile(r"models:/+([^/@]+)(?:/([1-9][0-9]{0,8})|@([^/@]+))")


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A registered model as a person calls it.

    Parameters
    ----------
    name : str
        Name in the registry, as ``rtms_response.screening``.
    number : int or None
        Version; None where an alias says which.
    alias : str
        Alias; empty where the version is named.
    """

    name: str
    number: int | None = None
    alias: str = ""

    def __str__(self) -> str:
        """As it is written."""
        which = f"@{self.alias}" if self.number is None else f"/{self.number}"
        return f"{SCHEME}{self.name}{which}"


def is_reference(text: str) -> bool:
    """Whether a text names a model of a registry.

    Examples
    --------
    >>> is_reference("models:/rtms_response.screening@champion"), is_reference("models")
    (True, False)
    """
    return text.startswith(SCHEME)


def read_reference(text: str) -> Reference:
    """Read what names a registered model.

    Raises
    ------
    UntrustedModelError
        For another form; ``latest`` is none, because it is whoever came last.

    Examples
    --------
    >>> read_reference("models:/rtms_response.screening/4").number
    4
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise UntrustedModelError(Note("registry.form", got=show(text)))
    name, number, alias = found.groups()
    return Reference(
        name=name, number=int(number) if number else None, alias=alias or ""
    )


def registry_name(target: str) -> str:
    """Name under which models of a question and moment are registered.

    Examples
    --------
    >>> registry_name("rtms_response@screening")
    'rtms_response.screening'
    """
    return target.replace("@", ".")


def target_of(name: str) -> str | None:
    """Question and moment of a name in the registry; None for one that is not ours.

    Examples
    --------
    >>> target_of("rtms_response.screening"), target_of("churn")
    ('rtms_response@screening', None)
    """
    targets = ("@".join(target) for target in dictionary().targets())
    return next((target for target in targets if registry_name(target) == name), None)
