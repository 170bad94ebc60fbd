"""The settings reference: a complete live.toml with every default and what it means."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from live.settings import LiveSettings, section_of

TITLE = (
    "# Every setting of a session. Lines begun by # are defaults; those without a value have none."
)


def as_toml() -> str:
    """A live.toml that changes nothing; every setting has its meaning above it."""
    return "\n".join([TITLE, "", *_section(LiveSettings, "")]).rstrip() + "\n"


def _section(section: type[BaseModel], prefix: str) -> Iterator[str]:
    tables = []
    for name, field in section.model_fields.items():
        inner = section_of(field)
        if inner is None:
            yield f"# {field.description}"
            yield f"#{name} =" if field.default is None else f"#{name} = {_value(field.default)}"
        else:
            tables.append((name, field, inner))
    for name, field, inner in tables:
        repeated = isinstance(field.default, tuple)
        yield ""
        yield f"{'[[' if repeated else '['}{prefix}{name}{']]' if repeated else ']'}"
        yield f"## {(inner.__doc__ or '').strip()}"
        yield from _section(inner, f"{prefix}{name}.")


def _value(default: Any) -> str:
    return json.dumps(list(default) if isinstance(default, tuple) else default)
