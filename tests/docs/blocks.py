"""The fenced code blocks of a page of the documentation, and what is to be done with each."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
NEEDS = {
    "needs an account",
    "needs Docker",
    "needs the internet",
    "needs a cluster",
    "needs a browser",
}
SHELLS = ("sh", "bash", "console")
_FENCE = re.compile(
    r"^( *)```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^\1```$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Block:
    """One block.

    Args:
        place: page and line, for whoever has to mend it.
        title: a file's name, one of `NEEDS`, or empty.
    """

    place: str
    language: str
    title: str
    code: str

    @property
    def is_marked(self) -> bool:
        """True for what cannot run here: it needs an account, Docker or the internet."""
        return self.title in NEEDS

    @property
    def is_file(self) -> bool:
        """True for the content of a file."""
        return bool(self.title) and not self.is_marked


@dataclass(frozen=True)
class Command:
    """One command line of a block, and what the page says it prints (all of it, or nothing)."""

    place: str
    words: tuple[str, ...]
    printed: str = ""


def of(page: Path) -> Iterator[Block]:
    """The blocks of a page from top to bottom."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        indent, language, title, code = found.groups()
        line = text.count("\n", 0, found.start()) + 1
        flat = re.sub(f"^{indent}", "", code, flags=re.MULTILINE)
        yield Block(f"{page.parent.name}/{page.name}:{line}", language, title or "", flat)


def commands(block: Block) -> Iterator[Command]:
    """The command lines of a shell block; in a `console` one they follow a `$`."""
    if block.language != "console":
        for line in block.code.replace("\\\n", " ").splitlines():
            if words := _words(line):
                yield Command(block.place, words)
        return
    for part in re.split(r"^\$ ", block.code.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
        line, _, printed = part.partition("\n")
        yield Command(block.place, _words(line), printed)


def _words(line: str) -> tuple[str, ...]:
    """The words of a command line, without what it sets in its environment."""
    words = shlex.split(line, comments=True)
    return tuple(dropwhile(lambda word: re.match(r"[A-Z_]+=", word), words))
