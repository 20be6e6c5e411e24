"""What tests of reports share."""

from html.parser import HTMLParser

from responder_model.settings import Settings

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
