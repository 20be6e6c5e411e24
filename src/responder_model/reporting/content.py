"""What every section of a report is written from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from responder_model import words
from responder_model.figures.drawing import draw_figure
from responder_model.labels import describe_value, label_of
from responder_model.schema import dictionary
from .blocks import Cell, Link, Picture, Table
from .texts import say
from .values import ANCHOR, Values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from responder_model.model import Model
    from .study import Study

# Longest value that is repeated beside its name.
LONGEST_SHOWN = 24
# CSS pixels that an inch of a drawn figure takes: its letters are then a little
# smaller than those of the text, on the screen and in print.
PIXELS_PER_INCH = 78


@dataclass(frozen=True, kw_only=True)
class Content:
    """A model, the cohorts it was examined in, the logged values, and a language."""

    model: Model
    studies: tuple[Study, ...]
    values: Values
    lang: str
    digest: str = ""

    @property
    def simulated(self) -> bool:
        """Whether anything here derives from simulated patients."""
        return self.model.provenance == "simulated" or any(
            study.provenance == "simulated" for study in self.studies
        )

    def provenance_of(self, study: Study | None = None) -> str:
        """Provenance of what is shown: of the model, and of the cohort if any."""
        found = {self.model.provenance, study.provenance if study else ""}
        return "simulated" if "simulated" in found else self.model.provenance

    @property
    def colon(self) -> str:
        """Colon with the spaces of the language."""
        return words.say("signs.colon", self.lang)

    @property
    def semicolon(self) -> str:
        """Semicolon with the spaces of the language."""
        return words.say("signs.semicolon", self.lang)

    def say(self, key: str, **parts: object) -> str:
        """Sentence in the report's language."""
        return say(key, self.lang, **parts)

    def name_of(self, of: Model | Study) -> str:
        """Name of a model or cohort."""
        return words.name_in(of.name, self.lang)

    def label(self, name: str) -> str:
        """Label of a field."""
        return label_of(name, self.lang)

    def describe(self, name: str, value: object) -> str:
        """Value of a field in words."""
        return describe_value(name, value, self.lang)

    def title(self) -> str:
        """Question and moment."""
        words = dictionary()
        decision = words.decisions[self.model.decision].label[self.lang]
        moment = words.moments[words.moment_index(self.model.moment)]
        return f"{decision}, {moment.label[self.lang]}"

    def links(self, *keys: str) -> tuple[Link, ...]:
        """References to logged values; those that were not logged are left out."""
        return tuple(
            Link(text=self._reference(key), anchor=ANCHOR + key)
            for key in keys
            if key in self.values
        )

    def _reference(self, key: str) -> str:
        text = self.values[key].text[self.lang]
        return f"{key} = {text}" if len(text) <= LONGEST_SHOWN else key

    def table(
        self,
        caption: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Cell | str]],
        *,
        study: Study | None = None,
        note: str = "",
        numeric: Sequence[int] = (),
    ) -> Table:
        """Table of texts or cells; labelled simulated where its numbers are."""
        return Table(
            caption=caption,
            columns=tuple(columns),
            rows=tuple(
                tuple(c if isinstance(c, Cell) else Cell(text=c) for c in row)
                for row in rows
            ),
            note=note,
            numeric=tuple(numeric),
            simulated=self.provenance_of(study) == "simulated",
        )

    def picture(
        self,
        name: str,
        plot: Callable[[Axes], Axes],
        *,
        title: str,
        caption: str,
        study: Study | None = None,
        size: tuple[float, float] = (7.0, 6.0),
    ) -> Picture:
        """Draw a figure; it carries the research-use line and the simulated label."""
        with TemporaryDirectory() as scratch:
            path = draw_figure(
                plot,
                Path(scratch) / f"{name}.png",
                title=title,
                provenance=self.provenance_of(study),
                lang=self.lang,
                size=size,
            )
            png = path.read_bytes()
        return Picture(
            name=name,
            png=png,
            caption=caption,
            alt=f"{title}. {caption}",
            width=round(PIXELS_PER_INCH * size[0]),
        )


def shorten(text: str, length: int) -> str:
    """Text that fits beside a name.

    Examples
    --------
    >>> shorten("a" * 70, 60)[-2:]
    'a…'
    """
    return text if len(text) <= length else text[: length - 1] + "…"
