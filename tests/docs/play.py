"""Does what a page of the documentation says, in a folder of its own."""

import gc
import json
import os
import re
import runpy
import subprocess
import sys
import tomllib
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import analyzers.__main__
import backtest.cli
import fetch_polygon_intraday_data
import live.cli
from tests.docs import blocks
from tests.docs.blocks import ROOT, Block, Command

APPS = {
    "analyzers": analyzers.__main__.app,
    "backtest": backtest.cli.app,
    "live": live.cli.app,
    "fetch_polygon_intraday_data.py": fetch_polygon_intraday_data.app,
}
SHORT = "1s"  # what a session's --for comes to here
LIVE_COMMANDS = frozenset(get_command(live.cli.app).commands) - {"trade"}
ROOMS = ("analyzers", "backtest", "live")
SET_UP = ("git", "cd", "mkdir", ".", "docker")  # a reader's own; there is nothing to check


class Reader:
    """Somebody who types what the pages say.

    Args:
        folder: where; it is the working directory meanwhile.
        capture: pytest's capfd.
    """

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capture = capture
        self._module = types.ModuleType(f"documented_{folder.name}")

    def follow(self, page: Path) -> None:
        """Do all that the page says."""
        with self._at_home():
            for block in blocks.of(page):
                if not block.is_marked:
                    self._do(block)

    @contextmanager
    def _at_home(self) -> Iterator[None]:
        before = Path.cwd(), list(sys.path), list(sys.argv), sys.excepthook, set(sys.modules)
        sys.modules[self._module.__name__] = self._module
        sys.path.insert(0, str(self._folder))
        os.chdir(self._folder)
        try:
            yield
        finally:
            os.chdir(before[0])
            sys.path[:], sys.argv[:], sys.excepthook = before[1:4]
            for name in set(sys.modules) - before[4]:
                if str(self._folder) in str(getattr(sys.modules[name], "__file__", "")):
                    del sys.modules[name]
            gc.unfreeze()

    def _do(self, block: Block) -> None:
        if block.is_file:
            self._write(block)
        elif block.language == "python":
            exec(compile(block.code, block.place, "exec"), vars(self._module))
        elif block.language in blocks.SHELLS:
            for command in blocks.commands(block):
                self._type(command)
        elif block.language == "json":
            json.loads(block.code)
        elif block.language == "toml":
            tomllib.loads(block.code)

    def _write(self, block: Block) -> None:
        if block.language == "diff":
            return  # tests/docs/test_own_rule.py applies it
        (self._folder / block.title).write_text(block.code, encoding="utf-8")
        if block.language == "python":
            compile(block.code, block.place, "exec")

    def _type(self, command: Command) -> None:
        match command.words:
            case ("python", "-m", "live", "venue", *rest):
                require_words("live", ["venue", *rest])  # it would run until somebody stops it
            case ("python", "-m", room, *rest) if room in ROOMS:
                self._compare(command, self._run(command, room, rest))
            case ("python", script) if script.endswith(".py"):
                self._compare(command, self._run_script(script))
            case ("make", *targets):
                require_target(command, targets)
            case ("pip", "install", *_):
                self._install()
            case ("touch", name):
                Path(name).touch()
            case (program, *_) if program in SET_UP:
                return
            case _:
                pytest.fail(f"{command.place}: nobody here knows {command.words}")

    def _run(self, command: Command, room: str, rest: list[str]) -> str:
        """Run a room's command line in this process, which has imported all it needs."""
        sys.argv[:] = [room, *(shortened(rest) if room == "live" else rest)]
        self._capture.readouterr()
        code: Any = 0
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="runpy")
            try:
                runpy.run_module(room, run_name="__main__", alter_sys=False)
            except SystemExit as done:
                code = done.code
        out, err = self._capture.readouterr()
        assert not code, f"{command.place}: {' '.join(command.words)}: {code}\n{out}{err}"
        return err + out

    def _run_script(self, script: str) -> str:
        self._capture.readouterr()
        runpy.run_path(script, run_name="__main__")
        return self._capture.readouterr().out

    def _compare(self, command: Command, printed: str) -> None:
        """Hold what was printed against what the page says, if it says anything."""
        assert not command.printed or is_like(command.printed, printed), (
            f"{command.place} says\n{command.printed}\nbut it is\n{printed}"
        )

    def _install(self) -> None:
        """What pip makes of the pyproject.toml here: entry points that are found."""
        project = tomllib.loads((self._folder / "pyproject.toml").read_text())["project"]
        info = self._folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        )
        lines: list[str] = []
        for group, entries in project["entry-points"].items():
            lines += [f"[{group}]", *(f"{name} = {where}" for name, where in entries.items())]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


def require_words(program: str, words: list[str]) -> None:
    """Let a program read its words, and refuse what it does not know, without running.

    Args:
        program: a room, or a script at the root.
    """
    known = get_command(APPS[program])
    if hasattr(known, "commands"):
        name = words[0] if words and words[0] in known.commands else "trade"
        known, words = known.commands[name], words[words[:1] == [name] :]
    known.make_context(program, words)


def require_target(command: Command, targets: list[str]) -> None:
    """Let make say whether there are such targets."""
    argv = ["make", "-C", str(ROOT), "--dry-run", *targets]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command.place}: {done.stderr}"


def shortened(words: list[str]) -> list[str]:
    """A session ends soon; any other command is as it was."""
    if words and words[0] in LIVE_COMMANDS:
        return words
    if "--for" not in words:
        return [*words, "--for", SHORT]
    return [SHORT if before == "--for" else word
            for before, word in zip(["", *words], words, strict=False)]  # fmt: skip


def is_like(said: str, printed: str) -> bool:
    """Whether a page may say so: `...` stands for anything, white space for white space."""
    pieces = (re.escape(" ".join(piece.split())) for piece in said.split("..."))
    return re.fullmatch(r"\s*" + ".*".join(pieces) + r"\s*", " ".join(printed.split())) is not None
