"""Build the pages as one folder that opens from disk, in English and in French.

python training/documentation/build.py build/docs [--quick] [--work FOLDER]

Needs no network. The pages of ``docs/`` are copied, what is made from the package is
written beside them, and Sphinx builds both with warnings as errors. ``--quick`` leaves
out the blocks that are marked long.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# Pages that stand elsewhere, and what they are called here.
OTHERS = {
    "CHANGELOG": "changelog",
    "DECISIONS": "decisions",
    "CONTRIBUTING": "contributing",
}
PLUMBING = ("_locale", "conf.py", "_static", "_templates")


def main() -> int:
    args = _parse()
    out = args.out.resolve()
    work = (args.work or out.with_name(out.name + "_work")).resolve()
    if out.exists() and not (out / "searchindex.js").exists():
        print(
            f"{out} must be a folder that this script made, or none.", file=sys.stderr
        )
        return 1
    shutil.rmtree(out, ignore_errors=True)
    shutil.rmtree(work, ignore_errors=True)
    for lang in ("en", "fr"):
        source = work / lang
        _copy(DOCS if lang == "en" else DOCS / "fr", source)
        if lang == "en":
            _add(source, quick=args.quick)
        pages = out if lang == "en" else out / lang
        failed = _sphinx(source, pages, lang, quick=args.quick)
        if failed:
            return failed
    for path in out.rglob("made/**/*"):
        is_shown = path.suffix in (".png", ".html") and "mlartifacts" not in path.parts
        if path.is_file() and not is_shown:
            path.unlink()
    for page in out.rglob("*.html"):
        page.write_text(_mended(page.read_text("utf-8")), encoding="utf-8")
    print(f"{out / 'index.html'}")
    return 0


# What Sphinx and furo write against the rules for assistive technology (axe-core).
MENDED = {
    '<p class="caption" role="heading">': '<p class="caption">',
    '<aside class="sidebar-drawer"': '<aside class="sidebar-drawer" aria-label="Site"',
    ' role="doc-biblioentry"': ' role="listitem"',
    # what is wide scrolls by keyboard too
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
}


def _mended(html: str) -> str:
    for written, right in MENDED.items():
        html = html.replace(written, right)
    return html


def _copy(pages: Path, source: Path) -> None:
    """Pages with what Sphinx needs beside them."""
    shutil.copytree(pages, source, ignore=shutil.ignore_patterns("fr"))
    for name in PLUMBING:
        if not (source / name).exists():
            copy = shutil.copytree if (DOCS / name).is_dir() else shutil.copy
            copy(DOCS / name, source / name)
    (source / "reports").symlink_to(ROOT / "reports")


def _name_the_rest(source: Path) -> None:
    """Pages that the index does not name yet stand below a heading of their own."""
    index = source / "index.md"
    named = set(re.findall(r"^[\w/]+$", index.read_text("utf-8"), re.MULTILINE))
    rest = sorted({path.stem for path in source.glob("*.md")} - named - {"index"})
    if rest:
        more = "\n".join(
            ["```{toctree}", ":caption: More", ":hidden:", "", *rest, "```"]
        )
        index.write_text(f"{index.read_text('utf-8')}\n{more}\n", encoding="utf-8")


def _add(source: Path, *, quick: bool) -> None:
    """Pages that are made, or stand elsewhere in the repository."""
    from benchmark_page import benchmark_page

    from reference import reference_pages

    made = {**reference_pages(quick=quick), "benchmarks": benchmark_page()}
    for name, text in made.items():
        path = source / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name, page in OTHERS.items():
        text = (ROOT / f"{name}.md").read_text("utf-8")
        linked = re.sub(r"`docs/([\w/]+)\.md`", r"[\1](\1.md)", text)
        (source / f"{page}.md").write_text(linked, encoding="utf-8")
    _name_the_rest(source)


def _sphinx(source: Path, out: Path, lang: str, *, quick: bool) -> int:
    from sphinx.cmd.build import main as sphinx

    os.environ["DOCUMENTATION"] = str(Path(__file__).parent)
    os.environ["DOCUMENTATION_LANGUAGE"] = lang
    os.environ["DOCUMENTATION_PAGES"] = str(source.parent / f"pages_{lang}")
    options = [
        "-q",
        "-W",
        "--keep-going",
        "-E",
        "-d",
        str(source.parent / f"trees_{lang}"),
    ]
    return sphinx(
        [*options, *(["-t", "quick"] if quick else []), str(source), str(out)]
    )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder that is made anew")
    parser.add_argument("--quick", action="store_true", help="leave out what is long")
    parser.add_argument("--work", type=Path, help="folder for what is left over")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
