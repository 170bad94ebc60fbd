"""A real browser before the real dashboard, both of our own starting, on loopback alone."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, sync_playwright

from brokers.clock import SystemClock

CHECKOUT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
START_S = 60.0
DRAWN = ".sw-title"  # the heading of every page


@contextmanager
def served(words: Sequence[str | Path]) -> Iterator[str]:
    """The dashboard's address, while the block runs."""
    port = _free_port()
    command = [
        sys.executable, "-m", "streamlit", "run", str(CHECKOUT / "app.py"),
        "--server.port", str(port), "--server.headless", "true", "--", *map(str, words),
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    with subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as server:
        try:
            _await(f"http://127.0.0.1:{port}/_stcore/health", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.communicate()


@contextmanager
def browsing() -> Iterator[Browser]:
    """A headless browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def opened(browser: Browser, address: str, width: int = 1280, mode: str = "light") -> Page:
    """A page that is drawn."""
    scheme = "dark" if mode == "dark" else "light"
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(address)
    page.wait_for_selector(DRAWN, timeout=30_000)
    return page


def still(page: Page) -> None:
    """Wait until nothing is being drawn for the first time."""
    page.wait_for_selector('[data-testid="stSkeleton"]', state="detached")
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-testid=stVegaLiteChart]')]"
        ".every(chart => chart.querySelector('canvas, svg'))"
    )


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def _await(address: str, server: "subprocess.Popen[bytes]") -> None:
    clock = SystemClock()
    deadline_s = clock.monotonic() + START_S
    while clock.monotonic() < deadline_s and server.poll() is None:
        try:
            with urlopen(address, timeout=1):
                return
        except (URLError, OSError):
            clock.sleep(0.05)
    server.terminate()
    raise RuntimeError(f"the dashboard did not start: {server.communicate()[1]!r}")
