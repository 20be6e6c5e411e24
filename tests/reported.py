"""What tests of reports share."""

from html.parser import HTMLParser

import numpy as np
import pytest

from responder_model.development import develop, published_model
from responder_model.settings import Settings
from responder_model.simulation import simulate_cohort

SETTINGS = Settings(decision="rtms_response", moment="screening", challenger=False)


class Page(HTMLParser):
    """Anchors, references, sources and text of a page."""

    def __init__(self, html):
        super().__init__()
        self.ids, self.targets, self.sources, self.words = [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        parts = dict(attrs)
        self.ids += [parts["id"]] if "id" in parts else []
        self.targets += [parts["href"]] if "href" in parts else []
        self.sources += [parts["src"]] if "src" in parts else []

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(self.words)


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(n_patients=90, seed=11)


@pytest.fixture(scope="module")
def other():
    patients = simulate_cohort(n_patients=80, seed=12)
    patients["centre"] = np.where(np.arange(80) < 40, "A", "B & <i>C</i>")
    return patients


@pytest.fixture(scope="module")
def model(cohort):
    return develop(cohort, settings=SETTINGS, name="centre|<b>one</b>")


@pytest.fixture(scope="module")
def published():
    return published_model("rtms_response", "screening")
