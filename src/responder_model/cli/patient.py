"""Commands about one patient: ``predict`` and ``explain``.

Their options are the dictionary's predictors: no second list of fields exists.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder_model.errors import InvalidPatientError, Problem, system_reason
from responder_model.schema import Field, dictionary
from responder_model.words import Note, say
from . import options
from .models import local_rate, open_model
from .output import print_json, print_lines
from .picture import FigureOption, check_picture, drawn
from .sheet import Keep, with_sheet_options

if TYPE_CHECKING:
    from responder_model.model import Model, Prediction
    from responder_model.model.questions import Question
    from responder_model.tables import Table

_SOURCE = inspect.Parameter(
    "source",
    inspect.Parameter.KEYWORD_ONLY,
    default=None,
    annotation=Annotated[str | None, typer.Option("--input", metavar="FILE|-")],
)
CentreOption = Annotated[str | None, typer.Option("--centre", metavar="NAME")]
ChosenOption = Annotated[float | None, typer.Option("--threshold", metavar="0-1")]
LogOddsOption = Annotated[bool, typer.Option("--log-odds")]

UNREADABLE, NO_OBJECT = Note("patient.readable_file"), Note("patient.json_object")
_METAVARS = {"number": "NUMBER", "boolean": "YES|NO", "category": "NAME"}


def predictor_fields(until: str | None = None) -> tuple[Field, ...]:
    """Every predictor of any decision, in dictionary order; those known by a moment."""
    words = dictionary()
    return tuple(
        row
        for row in words.fields.values()
        if row.role == "predictor"
        and (until is None or words.is_known(row.name, until))
    )


@dataclass(frozen=True, kw_only=True)
class Given:
    """A patient as a command got one: values, and the file that they came from."""

    values: dict[str, Any]
    source: str | None


def with_predictor_options(
    command: Callable[..., None], *, until: str | None = None
) -> Callable[..., None]:
    """Give a command ``--input`` and one option per predictor; it receives ``given``.

    ``until`` is the last moment from which a predictor may be known.
    """
    own = inspect.signature(command, eval_str=True, locals={"Keep": Keep}).parameters
    fields = predictor_fields(until)
    parameters = [p for p in own.values() if p.name != "given"]
    parameters += [_SOURCE, *map(_option, fields)]

    def run(**arguments: Any) -> None:
        source = arguments.pop("source")
        every = {row.name: arguments.pop(row.name) for row in fields}
        values = {name: value for name, value in every.items() if value is not None}
        patient = read_patient(source, values)
        command(**arguments, given=Given(values=patient, source=source))

    return options.taking(parameters, run, like=command)


def _option(row: Field) -> inspect.Parameter:
    info = typer.Option(
        f"--{row.name.replace('_', '-')}",
        metavar=_METAVARS[row.kind],
        # the help lists it under this moment
        rich_help_panel=row.known_from,
        show_default=False,
    )
    return inspect.Parameter(
        row.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[str | None, info],
    )


def read_patient(source: str | None, values: dict[str, Any]) -> dict[str, Any]:
    """Values of the JSON object, overridden by those given as options."""
    if source is None:
        return values
    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        # "sig": editors on Windows begin a file with a mark
        patient = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_unique)
    except OSError as error:
        raise _refused(
            Note("patient.openable_file", reason=system_reason(error))
        ) from error
    except UnicodeDecodeError as error:
        raise _refused(UNREADABLE) from error
    # ValueError: not JSON, or a number of more digits than Python reads
    except (ValueError, RecursionError) as error:
        raise _refused(NO_OBJECT) from error
    if not isinstance(patient, dict):
        raise _refused(NO_OBJECT)
    overridden = {key for key in patient if _name(key) in values}
    kept = {key: value for key, value in patient.items() if key not in overridden}
    return {**kept, **values}


def _refused(rule: Note) -> InvalidPatientError:
    problem = Problem(field="--input", allowed=rule)
    return InvalidPatientError((problem,))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON object, of which Python would keep the last of two equal keys."""
    from responder_model.patient import given_twice
    from responder_model.vocabulary import show

    keys = [key for key, _ in pairs]
    twice = [key for key in dict.fromkeys(keys) if keys.count(key) > 1]
    if twice:
        raise InvalidPatientError(tuple(given_twice(show(key)) for key in twice))
    return dict(pairs)


def _name(key: str) -> str | None:
    from responder_model.patient import find_key

    row = find_key(key)
    return None if row is None else row.name


@with_sheet_options
@with_predictor_options
def predict(
    model: options.ModelArgument,
    *,
    given: Given,
    responders: options.RespondersOption = None,
    tested: options.TestedOption = None,
    centre: CentreOption = None,
    threshold: ChosenOption = None,
    log_odds: LogOddsOption = False,
    keep: Keep,
) -> None:
    """Score one patient: a verdict, the interval, reasons, and for whom it holds."""
    fitted = open_model(model, rate=local_rate(responders, tested))
    answer = _Answer.of(fitted, given.values, centre=centre, threshold=threshold)
    keep.finish(
        answer.plain,
        answer.lines(keep.lang, log_odds=log_odds),
        lambda sheets, **how: sheets.prediction_sheet(
            fitted, given.values, centre=centre, threshold=threshold, **how
        ),
        [fitted.digest],
        inputs=[given.source],
    )


@with_predictor_options
def explain(
    model: options.ModelArgument,
    *,
    given: Given,
    responders: options.RespondersOption = None,
    tested: options.TestedOption = None,
    centre: CentreOption = None,
    threshold: ChosenOption = None,
    log_odds: LogOddsOption = False,
    figure: FigureOption = None,
    overwrite: options.OverwriteOption = False,
    json_output: options.JsonOption = False,
    lang: options.LanguageOption,
) -> None:
    """Say what each predictor adds for one patient, all of them, and draw it."""
    fitted = open_model(model, rate=local_rate(responders, tested))
    answer = _Answer.of(fitted, given.values, centre=centre, threshold=threshold)
    if figure is not None:
        read = () if given.source in (None, "-") else (given.source,)
        _draw(answer, figure, lang, inputs=read, overwrite=overwrite)
    if json_output:
        print_json(answer.plain(lang))
    else:
        print_lines(answer.lines(lang, log_odds=log_odds, every=True))


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What a model says of a patient, and what to ask next."""

    model: Model
    known: dict[str, Any]
    threshold: float | None
    prediction: Prediction
    questions: tuple[Question, ...]

    @classmethod
    def of(
        cls,
        model: Model,
        patient: dict[str, Any],
        *,
        centre: str | None,
        threshold: float | None,
    ) -> _Answer:
        return cls(
            model=model,
            known=model.check_patient(patient),
            threshold=threshold,
            prediction=model.predict(patient, centre=centre),
            questions=model.questions(patient, centre=centre, threshold=threshold),
        )

    def plain(self, lang: str) -> dict[str, Any]:
        """Plain data for JSON."""
        plain = self.prediction.to_dict(lang, threshold=self.threshold)
        return {**plain, "questions": [row.to_dict() for row in self.questions]}

    def lines(
        self, lang: str, *, log_odds: bool, every: bool = False
    ) -> Iterator[str | Table]:
        """Yield the answer; ``every``: down to the last reason."""
        from responder_model.model.basis import bases, without_effect
        from responder_model.model.questions import question_notes
        from responder_model.tables import reasons_table
        from .prediction import describe_prediction

        found, known = self.prediction, self.known
        yield from describe_prediction(found, lang, self.threshold)
        threshold = self.threshold or found.verdict.average
        for k, note in enumerate(question_notes(self.questions, threshold)):
            yield f"{'   ' if k else ''}{note.text(lang)}"
        yield ""
        basis = bases(self.model, known)
        table = reasons_table(found, known, basis, lang, log_odds=log_odds, every=every)
        if table is not None:
            yield table
        idle = without_effect(self.model, found)
        if idle:
            yield f"- {say('answers.without_effect', lang, names=idle)}"
        for message in found.messages:
            # which ones are missing: of `explain`; what to ask of them stands above
            if every or message.code != "model.missing":
                yield f"- {message.text(lang)}"


def _draw(
    answer: _Answer,
    path: Path,
    lang: str,
    *,
    inputs: Sequence[str],
    overwrite: bool,
) -> None:
    """Draw the waterfall of one patient."""
    from responder_model.artifact import digest_of
    from responder_model.figures.explanations import draw_waterfall, waterfall_title
    from responder_model.model.explanation import explain_one

    model, found = answer.model, answer.prediction
    digest = digest_of(model)
    check_picture(path, digest, command="explain", inputs=inputs, overwrite=overwrite)
    with drawn(path, digest, command="explain", overwrite=overwrite) as draft:
        draw_waterfall(
            explain_one(found, answer.known),
            draft,
            title=waterfall_title(found, lang),
            provenance=model.provenance,
            lang=lang,
        )
