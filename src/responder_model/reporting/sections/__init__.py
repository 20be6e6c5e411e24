"""The sections of a report, in the order in which a reviewer reads them."""

from __future__ import annotations

from responder_model.reporting.blocks import Section
from responder_model.reporting.content import Content
from .card import card, limits, summary
from .checklists import logged, probast_section, tripod_section
from .evidence import evidence, sample_size
from .learned import learned
from .patients import patients
from .performance import performance
from .verification import verification


def build_sections(content: Content) -> tuple[Section, ...]:
    """Every section that the model and the cohorts have something for."""
    found = (
        summary(content),
        card(content),
        patients(content),
        performance(content),
        learned(content),
        evidence(content),
        sample_size(content),
        verification(content),
        limits(content),
        tripod_section(content),
        probast_section(content),
        logged(content),
    )
    return tuple(section for section in found if section is not None)
