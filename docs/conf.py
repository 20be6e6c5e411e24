"""How Sphinx builds the pages; `make docs` copies them first, and adds what is made."""

import os
import sys
from pathlib import Path

sys.path.insert(0, os.environ["DOCUMENTATION"])

from benchmark_page import claims

import responder_model

project = "responder_model"
author = "The responder_model founders"
project_copyright = "The responder_model founders, Apache-2.0"
release = version = responder_model.__version__
language = os.environ.get("DOCUMENTATION_LANGUAGE", "en")
locale_dirs = ["_locale"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc", "running", "formulas"]
myst_enable_extensions = ["dollarmath", "colon_fence", "substitution"]
myst_substitutions = {"version": release, **claims()}
myst_heading_anchors = 3
exclude_patterns = ["reports", "fr"]
suppress_warnings = ["myst.header"]  # the changelog repeats "Model" and "Code"

html_math_renderer = "drawn"

numpydoc_show_class_members = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = project.replace("_", " ") + f" {release}"
html_copy_source = html_show_sourcelink = False
html_show_sphinx = False
html_extra_path = [os.environ["DOCUMENTATION_PAGES"]]
html_static_path = ["_static"]
html_css_files = ["narrow.css"]
templates_path = ["_templates"]
html_context = {
    "other_language": {"en": "Français", "fr": "English"}[language],
    "other_code": {"en": "fr", "fr": "en"}[language],
    "other_address": {"en": "fr/index.html", "fr": "../index.html"}[language],
}
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/language.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
nitpick_ignore_regex = [(".*", ".*")]
smartquotes = False
Path(os.environ["DOCUMENTATION_PAGES"]).mkdir(parents=True, exist_ok=True)


def skip(app, kind, name, value, skipped, options):  # noqa: ARG001
    """Leave out what scikit-learn gives every estimator."""
    return skipped or (name.startswith("set_") and name.endswith("_request")) or None


def setup(app):
    """Tell Sphinx."""
    app.connect("autodoc-skip-member", skip)
