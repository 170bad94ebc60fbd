"""A page as Streamlit draws it without a browser."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import orjson
from streamlit.testing.v1 import AppTest


def _script(view: str, data: str, out: str) -> None:
    from importlib import import_module  # noqa: PLC0415  it runs as a script of its own
    from pathlib import Path  # noqa: PLC0415

    from brokers.clock import SystemClock  # noqa: PLC0415
    from dashboard.desk import Desk  # noqa: PLC0415
    from dashboard.options import Options  # noqa: PLC0415

    options = Options(data=Path(data), out=Path(out))
    import_module(f"dashboard.views.{view}").show(Desk(options, SystemClock()))


@dataclass
class Shown:
    """What a page shows now."""

    app: AppTest

    @property
    def html(self) -> str:
        """All that we wrote ourselves."""
        return "".join(piece.proto.body for piece in self.app.get("html"))

    @property
    def text(self) -> str:
        """The same without tags, a blank where each was."""
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.html)).split())

    @property
    def charts(self) -> list[str]:
        """The charts' specifications, as JSON."""
        return [chart.proto.spec for chart in self.app.get("vega_lite_chart")]

    @property
    def downloads(self) -> list[str]:
        """The labels of the buttons that download."""
        return [button.label for button in self.app.get("download_button")]

    def titles(self) -> set[str]:
        """What the charts' axes and scales are called."""
        found: set[str] = set()
        for spec in self.charts:
            _collect(orjson.loads(spec), found)
        return found

    def then(self, change: Callable[[AppTest], object]) -> "Shown":
        """The page after somebody touched it."""
        change(self.app)
        self.app.run()
        return self.sound()

    def sound(self) -> "Shown":
        """Itself, if nothing was raised."""
        assert not self.app.exception, self.app.exception
        return self


def shown(view: str, data: Path, out: Path | None = None) -> Shown:
    """A page of the reports in some folders."""
    words = (view, str(data), str(out or data))
    return Shown(AppTest.from_function(_script, args=words, default_timeout=20).run()).sound()


def _collect(node: object, found: set[str]) -> None:
    if isinstance(node, dict):
        if isinstance(node.get("title"), str):
            found.add(node["title"])
        for member in node.values():
            _collect(member, found)
    elif isinstance(node, list):
        for member in node:
            _collect(member, found)
