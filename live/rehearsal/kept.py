"""Where a rehearsal's certificate is kept: as JSON for programs, as a page for people."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from analyzers.whole import write_whole
from brokers.errors import DataError
from live.rehearsal.certificate import Certificate
from live.rehearsal.certificate_page import page
from live.rehearsal.difference import Difference

PLAIN, PAGE = "certificate.json", "certificate.html"
AGAIN = "write it anew with `python -m live rehearse --out`"


def keep(certificate: Certificate, folder: Path) -> None:
    """Write both, the page first.

    Raises:
        ConfigError: they cannot be written there.
    """
    write_whole(folder / PAGE, page(certificate).encode())
    told = certificate.as_dict()
    indented = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
    write_whole(folder / PLAIN, orjson.dumps(told, default=str, option=indented))


def kept(path: Path) -> Certificate:
    """The certificate at `path`, a file or its folder; the equity is on the page alone.

    Raises:
        DataError: there is none, or it was not written by `keep`.
    """
    file = path / PLAIN if path.is_dir() else path
    try:
        return _read(orjson.loads(file.read_bytes()))
    except OSError as error:
        raise DataError(f"{file}: {error.strerror or error}: {AGAIN}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file} is no certificate: {AGAIN}") from error


def _read(told: Mapping[str, Any]) -> Certificate:
    difference = told["first_difference"]
    return Certificate(
        name=told["strategy"],
        account=told["account"],
        plan=told["faults"],
        bars=told["bars"],
        orders=told["orders"],
        fills=told["fills"],
        first_difference=difference and Difference(**difference),
        objections=tuple(told["objections"]),
        faults_hit=told["faults_hit"],
        venue_off_by=told["venue_off_by"],
        hashes=told["hashes"],
        lives=told["lives"],
        symbols=tuple(told["symbols"]),
        timeframe=told["timeframe"],
        span=(told["start"], told["end"]),
        equity=pd.DataFrame(),
    )
