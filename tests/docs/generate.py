"""`python -m tests.docs.generate` writes the parts of the documentation made from the code."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from typer.main import get_command

from analyzers.log_schema import json_schema
from live.exits import MEANINGS
from live.settings import LiveSettings, section_of
from tests.docs.blocks import DOCS
from tests.docs.play import APPS

SCHEMA = DOCS / "decision-log.schema.json"
EXIT_CODES = DOCS / "reference" / "exit-codes.md"
CONFIGURATION = DOCS / "reference" / "configuration.md"
_KINDS = {
    "object": "table",
    "number": "number",
    "integer": "whole number",
    "string": "text",
    "boolean": "`true`, `false`",
}
_BOUNDS = {
    "exclusiveMinimum": "above {}",
    "minimum": "from {}",
    "exclusiveMaximum": "below {}",
    "maximum": "to {}",
    "pattern": "like `{}`",
}


def made() -> dict[Path, str]:
    """Every page with a generated part, as it should be."""
    return {
        SCHEMA: json.dumps(json_schema(), indent=1) + "\n",
        EXIT_CODES: with_parts(EXIT_CODES, {"commands": commands(), "exit codes": exit_codes()}),
        CONFIGURATION: with_parts(CONFIGURATION, {"settings": "\n".join(configuration())}),
    }


def with_parts(page: Path, parts: Mapping[str, str]) -> str:
    """The page with what stands between its marks replaced."""
    text = page.read_text(encoding="utf-8")
    for name, part in parts.items():
        begun, ended = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        head, rest = text.split(begun)
        text = f"{head}{begun}{part}\n{ended}{rest.split(ended)[1]}"
    return text


def commands() -> str:
    """A table of all command lines, with the first paragraph of what each says of itself."""
    rows = [
        f"| `{line}` | {' '.join(told.split())} |"
        for program, app in APPS.items()
        for line, told in _lines(program, get_command(app))
    ]
    return "\n".join(("| command | |", "|---|---|", *rows))


def _lines(program: str, known: Any) -> Iterator[tuple[str, str]]:
    if not hasattr(known, "commands"):
        yield f"python {program}", _first_paragraph(known)
    shown = {n: c for n, c in getattr(known, "commands", {}).items() if not c.hidden}
    for name, command in shown.items():
        yield f"python -m {program} {name}", _first_paragraph(command)


def _first_paragraph(command: Any) -> str:
    return str(command.help).partition("\n\n")[0]


def exit_codes() -> str:
    """A table of what ends a session."""
    rows = [f"| {code.value} | `{code.name}` | {text} |" for code, text in MEANINGS.items()]
    return "\n".join(("| code | | a session or a command of `python -m live` |", "|---|---|---|",
                      *rows))  # fmt: skip


def configuration() -> Iterator[str]:
    """A heading and a table for each part of live.toml."""
    schema = LiveSettings.model_json_schema()
    yield from _table("live.toml", "Before the first table.", schema, LiveSettings)
    for name, field in LiveSettings.model_fields.items():
        section = section_of(field)
        if section is not None:
            words = schema["$defs"][section.__name__]
            yield from ("", f"## {name}", "")
            head = f"[[{name}]]" if isinstance(field.default, tuple) else f"[{name}]"
            yield from _rows(f"`{head}` {section.__doc__ or ''}", words, section)


def _table(title: str, text: str, schema: Mapping[str, Any], model: Any) -> Iterator[str]:
    yield from (f"## {title}", "")
    yield from _rows(text, schema, model)


def _rows(text: str, schema: Mapping[str, Any], model: Any) -> Iterator[str]:
    yield from (text, "", "| setting | value | default | |", "|---|---|---|---|")
    for name, field in model.model_fields.items():
        if section_of(field) is None:
            words = schema["properties"][name]
            default = "" if field.default is None else f"`{_value(field.default)}`"
            yield f"| `{name}` | {_kind(words)} | {default} | {field.description} |"


def _value(default: Any) -> str:
    return json.dumps(list(default) if isinstance(default, tuple) else default)


def _kind(words: Mapping[str, Any]) -> str:
    """What a setting may be, from its JSON Schema."""
    kinds = [kind for kind in words.get("anyOf", [words]) if kind.get("type") != "null"]
    return " or ".join(dict.fromkeys(map(_one_kind, kinds)))


def _one_kind(words: Mapping[str, Any]) -> str:
    if "enum" in words:
        return ", ".join(f"`{choice}`" for choice in words["enum"])
    if words.get("type") == "array":
        return f"list of {_one_kind(words['items'])}"
    bounds = (text.format(words[bound]) for bound, text in _BOUNDS.items() if bound in words)
    return re.sub(r"\|", r"\\|", " ".join((_KINDS[words["type"]], *bounds)))


if __name__ == "__main__":
    for page, text in made().items():
        page.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{page}\n")
