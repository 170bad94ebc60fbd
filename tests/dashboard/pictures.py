"""Pictures of every page, wide and narrow, light and dark: `python -m tests.dashboard.pictures`.

Rehearses and trades for a while first, so that there is something to see; `--log` shows other
logs. Those that the documentation has go to docs/images, the others to `--out`.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from brokers.clock import SystemClock
from dashboard.pages import PAGES
from tests.dashboard.browser import browsing, opened, served, still

IMAGES = Path("docs/images")
KINDS = [(width, mode) for width in (1280, 390) for mode in ("light", "dark")]
TALLEST = 2200  # pixels
OF_DOCS = {
    ("session", 1280, "light"): "dashboard.png",
    ("session", 1280, "dark"): "dashboard-dark.png",
    ("session", 390, "dark"): "dashboard-phone.png",
    ("equity", 1280, "light"): "dashboard-equity.png",
    ("why", 1280, "light"): "dashboard-why.png",
    ("parity", 1280, "light"): "dashboard-parity.png",
    ("sectors", 1280, "light"): "dashboard-sectors.png",
    ("sweeps", 1280, "light"): "dashboard-sweeps.png",
}
TRADED = ("donchian_bracket", "--symbols", "SPY,XLK,GLD", "--size", "40", "--speed", "300x")
REHEARSED = (
    "sma_cross", "--param", "fast=3", "--param", "slow=8", "--faults", "storm", "--over", "memory",
)  # fmt: skip
SETTINGS = "[paper]\nslippage_bps = 1.5\ncommission = 0.00005\nseed = 11\n"
ACT_S = 45.0  # of trading before the first picture


def main(argv: Sequence[str]) -> int:
    """Make them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/pictures"))
    parser.add_argument("--log", type=Path, action="append", default=[])
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--saved", type=Path, default=Path("out"))
    parser.add_argument("--pages", default="", help="comma-separated; all without it")
    told = parser.parse_args(argv)
    told.out.mkdir(parents=True, exist_ok=True)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        paths = [page.path for pages in PAGES.values() for page in pages]
        wanted = told.pages.split(",") if told.pages else paths
        with acting(Path(folder), told.log) as logs:
            words = [word for log in logs for word in ("--log", log)]
            with (
                served([*words, "--data", told.data, "--out", told.saved]) as address,
                browsing() as browser,
            ):
                for path in wanted:
                    take(browser, address, path, paths[0], told.out)
    return 0


@contextmanager
def acting(folder: Path, given: list[Path]) -> Iterator[list[Path]]:
    """Logs: those given, or of a rehearsal's halves and of a session that is trading meanwhile."""
    if given:
        yield given
        return
    session, rehearsal = folder / "session", folder / "rehearsal"
    settings = folder / "live.toml"
    settings.write_text(SETTINGS)
    live = [sys.executable, "-m", "live"]
    trade = [*live, *TRADED, "--settings", str(settings), "--folder", str(session), "--quiet"]
    with subprocess.Popen(trade, stdout=subprocess.DEVNULL) as trading:
        rehearse = [*live, "rehearse", *REHEARSED, "--out", str(rehearsal)]
        subprocess.run(rehearse, check=True, stdout=subprocess.DEVNULL)
        SystemClock().sleep(ACT_S)
        yield [session, rehearsal / "live.jsonl", rehearsal / "backtest.jsonl"]
        trading.terminate()


def take(browser: Browser, address: str, path: str, first: str, out: Path) -> None:
    """One page in all kinds."""
    log = "?log=1" if path == "parity" else ""
    for width, mode in KINDS:
        page = opened(browser, f"{address}/{'' if path == first else path}{log}", width, mode)
        still(page)
        tall = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size({"width": width, "height": min(max(int(tall), 700), TALLEST)})
        page.wait_for_timeout(1200)  # charts take their new width, widgets end their transitions
        name = OF_DOCS.get((path, width, mode))
        picture = out / f"{path}-{width}-{mode}.png"
        page.screenshot(path=picture)
        if name:
            (IMAGES / name).write_bytes(picture.read_bytes())
        page.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
