"""A reading kept beside its log, so that the next look at a long log begins where this one ended.

`<log>.index` can be deleted at any time. The log itself is never written to.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import orjson

from brokers.errors import DataError
from dashboard.account import Account
from dashboard.audit import Audit
from dashboard.line_index import LineIndex
from dashboard.order_book import OrderBook
from dashboard.reading import Reading
from dashboard.session_facts import SessionFacts

VERSION = 1
Arrays = Mapping[str, npt.NDArray[np.generic]]


def index_path(log: Path) -> Path:
    """Where a log's reading is kept."""
    return log.with_name(log.name + ".index")


def keep(reading: Reading, audit: Audit | None, log: Path) -> bool:
    """Write it, whole or not at all; False where nothing may be written beside the log."""
    account, curve = reading.account.kept()
    plain = {
        "version": VERSION,
        "end": reading.end,
        "mark": reading.mark.hex(),
        "facts": reading.facts.kept(),
        "orders": reading.orders.kept(),
        "account": account,
        "names": reading.index.names,
        "audit": audit and asdict(audit),
    }
    arrays: dict[str, Any] = {**reading.index.columns, **curve}
    arrays["plain"] = np.frombuffer(orjson.dumps(plain), dtype=np.uint8)
    path = index_path(log)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            np.savez(file, **arrays)
        part.replace(path)
    except OSError:
        return False
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return True


def kept(log: Path, size: int) -> tuple[Reading, Audit | None] | None:
    """What was kept of this very log, and what verify said then; None: there is nothing of use."""
    try:
        with index_path(log).open("rb") as file, np.load(file) as held:
            arrays = {name: held[name] for name in held.files}
        plain = orjson.loads(arrays.pop("plain").tobytes())
        if plain["version"] != VERSION:
            return None
        reading = _restored(plain, arrays)
        audit = Audit.restored(plain["audit"]) if plain["audit"] else None
        is_of_use = reading.still_holds(log, size)
    except (OSError, BadZipFile, KeyError, TypeError, ValueError, EOFError, DataError):
        return None
    return (reading, audit) if is_of_use else None


def _restored(plain: Mapping[str, Any], arrays: Arrays) -> Reading:
    return Reading(
        index=LineIndex(arrays, plain["names"]),
        facts=SessionFacts.restored(plain["facts"]),
        account=Account.restored(plain["account"], arrays),
        orders=OrderBook.restored(plain["orders"]),
        end=plain["end"],
        mark=bytes.fromhex(plain["mark"]),
    )
