"""A real browser for the reports: Debian's Chromium through Playwright."""

from dataclasses import dataclass, field

import pytest


@dataclass
class Opened:
    """A page that is open, with what it said and what it asked for since."""

    page: object
    noise: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def run(self, script):
        return self.page.evaluate(script)

    def overflow(self):
        """How many pixels the page is wider than its window."""
        return self.run(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )


@pytest.fixture
def browser(chromium):
    """Open files, each in a fresh context: `browser(path, width=400, scheme="dark")`."""
    contexts = []

    def open_page(path, *, width=1280, scheme="light", media="screen", script=True):
        size = {"width": width, "height": 900}
        context = chromium.new_context(
            viewport=size, color_scheme=scheme, java_script_enabled=script
        )
        contexts.append(context)
        page = context.new_page()
        page.emulate_media(media=media)
        opened = Opened(page)
        page.on("console", lambda message: opened.noise.append(message.text))
        page.on("pageerror", lambda error: opened.noise.append(str(error)))
        page.on("dialog", lambda dialog: (opened.noise.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: opened.requests.append(request.url))
        # Many browsers may share few cores.
        page.goto(path.resolve().as_uri(), timeout=120_000)
        return opened

    yield open_page
    for context in contexts:
        context.close()
