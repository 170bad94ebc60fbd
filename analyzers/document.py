"""A report as a typed, versioned value that is the same bytes wherever it was made."""

import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from analyzers.whole import write_whole
from brokers.errors import DataError


def _none_for_nan(value: Any) -> Any:
    if isinstance(value, float) and not isfinite(value):
        return None
    return value


Number = Annotated[float | None, BeforeValidator(_none_for_nan)]
"""A measured value; None where the data do not determine it, never zero and never NaN."""


class Part(BaseModel):
    """A part of a report: frozen, and without fields that it does not declare."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class Document(Part):
    """A report with the version of its schema.

    A subclass says in `VERSION` which schema it has and in `COMMAND` what writes it anew.
    """

    VERSION: ClassVar[int] = 1
    COMMAND: ClassVar[str] = ""

    schema_version: int

    def as_bytes(self) -> bytes:
        """JSON, UTF-8, indented, fields in their declared order."""
        told = self.model_dump(mode="json")
        return (json.dumps(told, indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode()

    def save(self, path: Path) -> None:
        """Put it at `path`, all of it or nothing.

        Raises:
            ConfigError: it cannot be written there.
        """
        write_whole(path, self.as_bytes())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            DataError: there is none, it is damaged, or of another version of the schema.
        """
        again = f"write it anew with {cls.COMMAND}" if cls.COMMAND else "write it anew"
        try:
            told = json.loads(path.read_bytes())
        except OSError as error:
            raise DataError(f"{path}: {error.strerror or error}: {again}") from error
        except ValueError as error:
            raise DataError(f"{path} is no JSON: it is damaged: {again}") from error
        found = told.get("schema_version") if isinstance(told, Mapping) else None
        if found != cls.VERSION:
            raise DataError(
                f"{path} has schema version {found}, this program reads {cls.VERSION}: {again}"
            )
        try:
            return cls.model_validate(told)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(step) for step in first["loc"])
            raise DataError(f"{path}: {place}: {first['msg']}: {again}") from error
