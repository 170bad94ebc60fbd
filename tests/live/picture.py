"""`python -m tests.live.picture`: docs/images/certificate.png, from a rehearsal made for it."""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from live.cli import main as live
from live.rehearsal.kept import PAGE

TARGET = Path("docs/images/certificate.png")
WORDS = ("--faults", "storm", "--size", "95%", "--over", "memory")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def shot(page: Path, target: Path, width: int, scheme: str = "light") -> None:
    """Take a picture of all of a page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(FLAGS)
        )
        view = browser.new_page(
            viewport={"width": width, "height": 600}, color_scheme=scheme, device_scale_factor=1.5
        )
        view.goto(page.resolve().as_uri())
        view.screenshot(path=target, full_page=True)
        browser.close()


def main() -> int:
    """Rehearse, and take the picture of the certificate."""
    with tempfile.TemporaryDirectory() as folder:
        code = live(["rehearse", "sma_cross", *WORDS, "--out", folder])
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        shot(Path(folder) / PAGE, TARGET, 900)
    return code


if __name__ == "__main__":
    sys.exit(main())
