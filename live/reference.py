"""The settings reference: a complete live.toml with every default and what it means."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from live.settings import LiveSettings, section_of

TITLE = (
    "# Every setting of a session. Lines begun by # are defaults; those without a value have none."
)
Words = Mapping[str, Any]


def as_toml(words: Words | None = None) -> str:
    """A live.toml in which every setting has its meaning above it.

    Args:
        words: what is set, nested as in the file, of one strategy; None values are left out.
            Without any, the file changes nothing.
    """
    return "\n".join([TITLE, "", *_section(LiveSettings, "", words or {})]).rstrip() + "\n"


def meaning_of(name: str) -> tuple[str, str]:
    """What a setting such as ``data.symbols`` means, and its default in TOML's form."""
    section: type[BaseModel] = LiveSettings
    *path, last = name.split(".")
    for part in path:
        section = section_of(section.model_fields[part]) or section
    field = section.model_fields[last]
    return _line(field.description), "" if field.default is None else _value(field.default)


def _section(section: type[BaseModel], prefix: str, words: Words) -> Iterator[str]:
    tables = []
    for name, field in section.model_fields.items():
        inner = section_of(field)
        if inner is not None:
            tables.append((name, field, inner))
            continue
        yield f"# {_line(field.description)}"
        if words.get(name) is not None:
            yield f"{name} = {_value(words[name])}"
        else:
            yield f"#{name} =" if field.default is None else f"#{name} = {_value(field.default)}"
    for name, field, inner in tables:
        repeated = isinstance(field.default, tuple)
        yield ""
        yield f"{'[[' if repeated else '['}{prefix}{name}{']]' if repeated else ']'}"
        yield f"## {_line(inner.__doc__)}"
        yield from _section(inner, f"{prefix}{name}.", words.get(name, {}))


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def _value(value: Any) -> str:
    """In TOML's form, which is JSON's but for tables."""
    if isinstance(value, Mapping):
        pairs = ", ".join(
            f"{json.dumps(name)} = {_value(it)}" for name, it in value.items() if it is not None
        )
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False)
