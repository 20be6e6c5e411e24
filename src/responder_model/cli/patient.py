"""Commands about one patient: ``predict`` and ``explain``.

Their options are the dictionary's predictors: no second list of fields exists.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder_model.cli.models import local_rate, open_model
from responder_model.cli.options import (
    JsonOption,
    LanguageOption,
    ModelArgument,
    OverwriteOption,
    RespondersOption,
    TestedOption,
    taking,
)
from responder_model.cli.output import console, print_json, writing
from responder_model.cli.sheet import Keep, with_sheet_options
from responder_model.errors import InvalidPatientError, Problem, ResponderModelError
from responder_model.outputs import Output, check_outputs, drafted
from responder_model.schema import Field, dictionary
from responder_model.words import Note, say

if TYPE_CHECKING:
    from responder_model.model import Model

InputOption = Annotated[str | None, typer.Option("--input", metavar="FILE|-")]
FigureOption = Annotated[Path | None, typer.Option("--figure", metavar="FILE")]
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


def with_predictor_options(
    command: Callable[..., None], *, until: str | None = None
) -> Callable[..., None]:
    """Give a command one option per predictor; it receives them as ``values``.

    ``until`` is the last moment from which a predictor may be known.
    """
    own = inspect.signature(command, eval_str=True).parameters.values()
    parameters = [p for p in own if p.name != "values"]
    parameters += [_option(row) for row in predictor_fields(until)]

    def run(**arguments: Any) -> None:
        names = [row.name for row in predictor_fields(until)]
        values = {name: arguments.pop(name) for name in names}
        given = {name: value for name, value in values.items() if value is not None}
        command(**arguments, values=given)

    return taking(parameters, run, like=command)


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
    except (OSError, UnicodeDecodeError) as error:
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
    model: ModelArgument,
    *,
    values: dict[str, Any],
    source: InputOption = None,
    responders: RespondersOption = None,
    tested: TestedOption = None,
    centre: CentreOption = None,
    threshold: ChosenOption = None,
    log_odds: LogOddsOption = False,
    json_output: JsonOption = False,
    keep: Keep,
    lang: LanguageOption,
) -> None:
    """Score one patient: a verdict, the interval, reasons, and for whom it holds."""
    fitted = open_model(model, rate=local_rate(responders, tested))
    patient = read_patient(source, values)
    if keep.wanted:
        from responder_model.sheets import prediction_sheet

        keep.write(
            partial(
                prediction_sheet, fitted, patient, centre=centre, threshold=threshold
            ),
            fitted.digest,
            command="predict",
            lang=lang,
            inputs=[source],
        )
    shown = Shown(threshold=threshold, log_odds=log_odds, every=False)
    _answer(fitted, patient, centre, shown, lang, json_output=json_output)


@with_predictor_options
def explain(
    model: ModelArgument,
    *,
    values: dict[str, Any],
    source: InputOption = None,
    responders: RespondersOption = None,
    tested: TestedOption = None,
    centre: CentreOption = None,
    threshold: ChosenOption = None,
    log_odds: LogOddsOption = False,
    figure: FigureOption = None,
    overwrite: OverwriteOption = False,
    json_output: JsonOption = False,
    lang: LanguageOption,
) -> None:
    """Say what each predictor adds for one patient, all of them, and draw it."""
    fitted = open_model(model, rate=local_rate(responders, tested))
    patient = read_patient(source, values)
    if figure is not None:
        read = () if source in (None, "-") else (source,)
        _draw(fitted, patient, centre, figure, lang, inputs=read, overwrite=overwrite)
    shown = Shown(threshold=threshold, log_odds=log_odds, every=True)
    _answer(fitted, patient, centre, shown, lang, json_output=json_output)


def _draw(
    model: Model,
    patient: dict[str, Any],
    centre: str | None,
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
    from responder_model.vocabulary import show

    if path.suffix.lower() != ".png":
        raise ResponderModelError(Note("cli.figure_name", got=show(path.name)))
    output = Output(
        path=path, command="explain", model=digest_of(model), argument="--figure"
    )
    check_outputs(output, inputs=inputs, overwrite=overwrite)
    known = model.check_patient(patient)
    prediction = model.predict(patient, centre=centre)
    with writing("--figure"), drafted(output, overwrite=overwrite) as draft:
        draw_waterfall(
            explain_one(prediction, known),
            draft,
            title=waterfall_title(prediction, lang),
            provenance=model.provenance,
            lang=lang,
        )


@dataclass(frozen=True, kw_only=True)
class Shown:
    """How an answer is printed: in which unit, and whether down to the last reason."""

    threshold: float | None
    log_odds: bool
    every: bool


def _answer(
    model: Model,
    patient: dict[str, Any],
    centre: str | None,
    shown: Shown,
    lang: str,
    *,
    json_output: bool,
) -> None:
    """Print what a model says of a patient, and what to ask next."""
    from responder_model.cli.prediction import describe_prediction, reasons_table
    from responder_model.model.basis import bases, without_effect
    from responder_model.model.questions import question_notes

    threshold = shown.threshold
    prediction = model.predict(patient, centre=centre)
    questions = model.questions(patient, centre=centre, threshold=threshold)
    if json_output:
        plain = prediction.to_dict(lang, threshold=threshold)
        print_json({**plain, "questions": [row.to_dict() for row in questions]})
        return
    out = console()
    for line in describe_prediction(prediction, lang, threshold):
        out.print(line)
    threshold = threshold or prediction.verdict.average
    for k, note in enumerate(question_notes(questions, threshold)):
        out.print(f"{'   ' if k else ''}{note.text(lang)}")
    out.print()
    known = model.check_patient(patient)
    table = reasons_table(
        prediction,
        known,
        lang,
        every=shown.every,
        log_odds=shown.log_odds,
        bases=bases(model, patient),
    )
    if table.row_count:
        out.print(table)
    idle = without_effect(model, prediction)
    if idle:
        out.print(f"- {say('answers.without_effect', lang, names=idle)}")
    for message in prediction.messages:
        # which ones are missing: of `explain`; what to ask of them stands above
        if shown.every or message.code != "model.missing":
            out.print(f"- {message.text(lang)}")
