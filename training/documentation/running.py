"""A directive that runs what a page shows, and shows what came of it.

    ```{run}
    responder-model predict rtms_response@screening --age 54
    ```

The lines are commands of `responder-model`; with ``:python:`` they are Python. All
blocks of a page run one after the other in one folder of their own. What is printed
follows the block, then each picture that was written, and a link to each page.
``:first: 12`` shows so many lines and says that there are more; ``:exit: 1`` is what a
command must end with (0 otherwise); ``:long:`` is not run in a quick build.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from typer.testing import CliRunner

# Columns of the console, which breaks a line before the word that would pass them.
COLUMNS = 110
# A line of a list, or one that begins with its name, goes on nothing.
BEGINS = re.compile(r"- |\S+ {2,}")
# The space that keeps a sign on the line of its word.
SIGNS = re.compile(r"(?<=\S) (?=[;:?!»%](?:\s|$))|(?<=«) ")
SPOKEN = {"NO_COLOR": "1", "TERM": "dumb", "LC_ALL": "C.UTF-8"}
KEPT = (".png", ".html")


class Run(SphinxDirective):
    """The directive; see the module."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {
        "python": directives.flag,
        "long": directives.flag,
        "first": directives.positive_int,
        "exit": directives.nonnegative_int,
        "picture": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        """The block, and what came of it."""
        shown = nodes.literal_block("\n".join(self.content), "\n".join(self.content))
        shown["language"] = "python" if "python" in self.options else "sh"
        if "long" in self.options and self.env.app.tags.has("quick"):
            return [shown]
        folder = self._folder()
        before = {path: path.stat().st_mtime_ns for path in _shown(folder)}
        with contextlib.chdir(folder), _spoken():
            printed = "".join(self._outputs())
        made = sorted(
            path
            for path in _shown(folder)
            if before.get(path) != path.stat().st_mtime_ns
        )
        return [shown, *self._printed(printed), *map(self._made, made)]

    def _folder(self) -> Path:
        """Folder of the page; empty when its first block runs."""
        pages = Path(os.environ["DOCUMENTATION_PAGES"]) / "made"
        folder = pages / self.config.language / self.env.docname
        if self.env.temp_data.get("runs") is None:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            self.env.temp_data["runs"] = {}
        return folder

    def _outputs(self) -> Iterator[str]:
        """What each command, or the whole of the Python, prints."""
        if "python" in self.options:
            text = io.StringIO()
            with contextlib.redirect_stdout(text):
                exec("\n".join(self.content), self.env.temp_data["runs"])
            yield text.getvalue()
            return
        for line in (
            " ".join(self.content).replace("\\ ", " ").split("responder-model ")
        ):
            if line.strip():
                yield self._command(line)

    def _command(self, line: str) -> str:
        from responder_model.cli.app import app

        done = CliRunner().invoke(app, shlex.split(line))
        if done.exit_code != self.options.get("exit", 0):
            msg = (
                f"{self.env.docname}: {line} ended with {done.exit_code}: {done.output}"
            )
            raise ExtensionError(msg, done.exception)
        return done.output

    def _printed(self, text: str) -> list[nodes.Node]:
        lines = [
            line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", text).split("\n")
        ]
        lines = "\n".join(lines).strip("\n").split("\n")
        first = self.options.get("first", len(lines))
        if len(lines) > first:
            lines = [*lines[:first], "…"]
        return list(_blocks(lines)) if lines != [""] else []

    def _made(self, path: Path) -> nodes.Node:
        """A picture, or the link to a page."""
        depth = self.env.docname.count("/")
        root = Path(os.environ["DOCUMENTATION_PAGES"])
        address = "../" * depth + path.relative_to(root).as_posix()
        if path.suffix == ".html":
            link = nodes.reference("", path.name, refuri=address, internal=False)
            return nodes.paragraph("", "", link)
        said = self.options.get("picture", f"{path.name}, as the command draws it")
        return nodes.raw(
            "", f'<img class="made" src="{address}" alt="{said}">', format="html"
        )


def _shown(folder: Path) -> list[Path]:
    """Pictures and pages of a folder, and pages of the folders in it."""
    made = [path for path in folder.iterdir() if path.suffix in KEPT]
    return [*made, *folder.glob("*/*.html")]


def _blocks(lines: list[str]) -> Iterator[nodes.Node]:
    """Tables keep their width; sentences are set as wide as the page is."""
    for is_table, part in groupby(lines, lambda line: line[:1] in set("┏┃┡│├└")):
        same = list(part)
        lines = same if is_table else (SIGNS.sub("\xa0", one) for one in _joined(same))
        text = "\n".join(lines).strip("\n")
        if text:
            block = nodes.literal_block(text, text, language="text")
            block["classes"] += ["printed", *([] if is_table else ["sentences"])]
            yield block


def _joined(lines: Iterable[str]) -> Iterator[str]:
    """Lines that the console broke at its width, whole again."""
    whole = ""
    for line in lines:
        last = len(whole) - whole.rfind("\0") - 1
        is_broken = last + 1 + len(line.partition(" ")[0]) > COLUMNS
        if whole and is_broken and line[:1].strip() and not BEGINS.match(line):
            whole += " \0" + line
        else:
            yield whole.replace("\0", "")
            whole = line
    yield whole.replace("\0", "")


@contextlib.contextmanager
def _spoken() -> Iterator[None]:
    """Say the same on every machine."""
    before = dict(os.environ)
    os.environ.update(SPOKEN)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def setup(app: Sphinx) -> dict[str, bool]:
    """Offer the directive to Sphinx; its blocks share a folder and run in order."""
    app.add_directive("run", Run)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
