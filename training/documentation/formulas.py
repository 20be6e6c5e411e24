"""Formulas as drawings in the page, so that no script of another machine is needed."""

from __future__ import annotations

import re
from html import escape
from io import BytesIO
from typing import Any

from docutils import nodes
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import math_to_image
from sphinx.application import Sphinx


def drawing(formula: str) -> str:
    """SVG of a formula (matplotlib's TeX) that takes the colour of the text."""
    written = BytesIO()
    one_line = " ".join(formula.split())
    math, size = f"${one_line}$", FontProperties(size=11.5)
    depth = math_to_image(math, written, prop=size, format="svg")
    svg = written.getvalue().decode()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'id="(patch|figure|text)_\w+"', "", svg)
    told = f'role="img" aria-label="{escape(one_line)}"'
    svg = svg.replace("<svg ", f'<svg {told} style="vertical-align: -{depth}pt" ', 1)
    return svg.replace("#ffffff", "none").replace("#000000", "currentColor").strip()


def visit_inline(translator: Any, node: nodes.math) -> None:
    """A formula within a line."""
    translator.body.append(f'<span class="formula">{drawing(node.astext())}</span>')
    raise nodes.SkipNode


def visit_block(translator: Any, node: nodes.math_block) -> None:
    """Formulas on lines of their own; a blank line parts two."""
    for formula in re.split(r"\n\s*\n|\\\\", node.astext()):
        if formula.strip():
            drawn = drawing(formula.replace("&", "").replace(r"\frac", r"\dfrac"))
            translator.body.append(f'<div class="formula">{drawn}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Offer the formulas to Sphinx."""
    app.add_html_math_renderer(
        "drawn",
        inline_renderers=(visit_inline, None),
        block_renderers=(visit_block, None),
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
