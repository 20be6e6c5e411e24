"""Hold the docstrings of every public name to numpydoc's rules.

python training/public_docs.py

Public is what a room lists in `__all__`, and the public methods of those classes. A
docstring of one sentence is enough where it says all; where sections stand, they must
be whole and say what the signature says.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from numpydoc.validate import validate

sys.path.insert(0, str(Path(__file__).parent / "documentation"))
from reference import public_names, rooms

# Docstrings that are there, whole, and end their first sentence; sections in order and
# marked as such; no parameter that the signature does not have.
CHECKS = {
    *("GL01", "GL02", "GL03", "GL05", "GL06", "GL07", "GL08", "GL09", "GL10"),
    *("SS01", "SS03", "SS04", "SS06", "PR02", "PR05", "PR06", "PR09", "PR10"),
    *("RT02", "RT04", "RT05", "SA02", "SA03", "SA04"),
}
# A field of a dataclass that is no parameter, said where the others are.
FIELDS = {("responder_model.model.fitted.Model", "PR02")}


def main() -> int:
    found = list(_broken())
    print("\n".join(found))
    return 1 if found else 0


def _broken() -> Iterator[str]:
    for name in names():
        for code, text in validate(name)["errors"]:
            if code in CHECKS and (name, code) not in FIELDS:
                yield f"{name}: {code} {text}"


def names() -> Iterator[str]:
    """Dotted name of each public function, class and method."""
    for room in rooms():
        module = import_module(f"responder_model.{room}")
        for name in public_names(room):
            value = getattr(module, name, None)
            if inspect.isfunction(value) or inspect.isclass(value):
                yield f"{value.__module__}.{name}"
            if inspect.isclass(value):
                for method, own in vars(value).items():
                    if not method.startswith("_") and inspect.isfunction(own):
                        yield f"{value.__module__}.{name}.{method}"


if __name__ == "__main__":
    sys.exit(main())
