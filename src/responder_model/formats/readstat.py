"""What runs in a process of its own: ReadStat, which a broken file can bring down.

It is started as a script, answers one request a line on its standard input, and knows
nothing of this package. An answer is a line of JSON with what the file says of its
variables, the cells as Arrow's stream, and a last line with what was found in them.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Any

import pyarrow as pa
import pyreadstat

# What this process may take of the memory.
MOST_BYTES = 4 << 30


class WithoutPandas:
    """Finds no pandas: Arrow would load it for nothing."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        """See ``importlib.abc.MetaPathFinder``."""
        if name == "pandas":
            raise ModuleNotFoundError(name=name)


def answer(request: dict[str, Any], out: IO[bytes]) -> None:
    """Read one file and write what it holds."""
    read = partial(
        getattr(pyreadstat, request["reader"]),
        request["path"],
        # with pandas as output it would put 0 for a missing after a tagged one
        output_format="dict",
        # it would wrap times after 24 hours
        disable_datetime_conversion=True,
        **({"user_missing": True} if request["missing"] else {}),
    )
    try:
        about = read(metadataonly=True)[1]
    except pyreadstat.ReadstatError:  # letters other than the file declares
        read = partial(read, encoding="WINDOWS-1252")
        about = read(metadataonly=True)[1]
    formats = _formats(request.get("catalog"))
    variables = [_described(about, formats, name) for name in about.column_names]
    _write(out, {"variables": variables})
    fields = [
        (str(k), pa.string() if variable["kind"] == "string" else pa.float64())
        for k, variable in enumerate(variables)
    ]
    tags: list[Counter[str]] = [Counter() for _ in variables]
    last: dict[str, Any] = {"tags": tags}
    with pa.ipc.new_stream(out, pa.schema(fields)) as stream:
        try:
            for batch in _batches(read, pa.schema(fields), tags, request):
                stream.write_batch(batch)
        except Exception as error:  # noqa: BLE001 - whatever a broken file leads to
            last = {"too_large" if isinstance(error, OverflowError) else "broken": True}
    _write(out, last)


def _write(out: IO[bytes], line: dict[str, Any]) -> None:
    out.write(json.dumps(line).encode() + b"\n")
    out.flush()


def _formats(catalog: str | None) -> dict[str, dict[Any, str]]:
    """Labels of a catalog of SAS, by the name of the format."""
    if catalog is None:
        return {}
    labels = pyreadstat.read_sas7bcat(catalog, output_format="dict")[1].value_labels
    return {name.upper(): dict(of) for name, of in labels.items()}


def _described(
    about: Any, formats: dict[str, dict[Any, str]], name: str
) -> dict[str, Any]:
    form = about.original_variable_types.get(name) or ""
    labels = about.variable_value_labels.get(name)
    # the name of a format, without its width: SEXF8.
    labels = labels or formats.get(form.rstrip("0123456789.").upper(), {})
    return {
        "name": name,
        "label": about.column_names_to_labels.get(name) or "",
        "kind": about.readstat_variable_types[name],
        "form": form,
        "labels": list(labels.items()),
        "ranges": [(r["lo"], r["hi"]) for r in about.missing_ranges.get(name, [])],
    }


def _batches(
    read: Callable[..., Any],
    schema: pa.Schema,
    tags: list[Counter[str]],
    request: dict[str, Any],
) -> Iterator[pa.RecordBatch]:
    """Yield the rows, and count the letters that stand for missing ones.

    At first some, then as many again as were read already: a long file is gone through
    a few times, and a small one that claims to be long takes no memory.
    """
    n_read, limit = 0, request["rows"]
    while True:
        cells, about = read(row_offset=n_read, row_limit=limit)
        columns = [
            _column(values, kind, counted)
            if name in about.missing_user_values
            else pa.array(values, kind)
            for (name, values), kind, counted in zip(
                cells.items(), schema.types, tags, strict=True
            )
        ]
        batch = pa.record_batch(columns, schema=schema)
        n_read += batch.num_rows
        if n_read * len(schema) > request["most"]:
            raise OverflowError
        yield batch
        if not limit or batch.num_rows < limit:
            return
        limit = n_read


def _column(values: list[Any], kind: pa.DataType, counted: Counter[str]) -> pa.Array:
    if pa.types.is_string(kind):
        return pa.array(values, kind)
    counted.update(value for value in values if isinstance(value, str))
    return pa.array([None if isinstance(x, str) else x for x in values], kind)


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


def main(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests until there are no more."""
    _bound_memory()
    sys.meta_path.insert(0, WithoutPandas)
    for line in requests:
        try:
            answer(json.loads(line), answers)
        except Exception:  # noqa: BLE001 - whatever a broken file leads to
            _write(answers, {"broken": True})


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
