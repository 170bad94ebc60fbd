"""Pictures of every page, wide and narrow, light and dark: `python -m tests.dashboard.pictures`.

Rehearses and trades for a while first, so that there is something to see; `--log` shows other
logs. Those that the documentation has go to docs/images, the others to `--out`.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

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
}
STRATEGY = ("sma_cross", "--param", "fast=3", "--param", "slow=8")


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
        logs = told.log or acted(Path(folder))
        words = [word for log in logs for word in ("--log", log)]
        with served([*words, "--data", told.data, "--out", told.saved]) as address:
            paths = [page.path for pages in PAGES.values() for page in pages]
            wanted = told.pages.split(",") if told.pages else paths
            with browsing() as browser:
                for path in wanted:
                    take(browser, address, path, paths[0], told.out)
    return 0


def acted(folder: Path) -> list[Path]:
    """Logs of a session at the embedded venue, and of a rehearsal's two halves."""
    session, rehearsal = folder / "session", folder / "rehearsal"
    live = [sys.executable, "-m", "live"]
    subprocess.run(
        [*live, *STRATEGY, "--symbols", "SPY,XLK", "--size", "40", "--speed", "600x",
         "--for", "40s", "--folder", str(session), "--quiet"],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    subprocess.run(
        [*live, "rehearse", *STRATEGY, "--faults", "storm", "--over", "memory",
         "--out", str(rehearsal)],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return [session, rehearsal / "live.jsonl", rehearsal / "backtest.jsonl"]


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
