"""Frames of the TWS API: four bytes of length, then fields that each end with a NUL."""

import asyncio
import struct
from decimal import Decimal

Field = str | int | float | Decimal | bool | None

LONGEST = 1_000_000  # bytes; a length beyond is no frame of this protocol


class NotTws(Exception):
    """What came is no frame; a browser, or somebody who speaks TLS."""


def frame(*fields: Field) -> bytes:
    """Put fields into one frame; None is how the protocol leaves a number out."""
    payload = "\0".join((*map(_text, fields), "")).encode()
    return struct.pack(">I", len(payload)) + payload


async def read_frame(reader: asyncio.StreamReader) -> list[str]:
    """Read the fields of the next frame.

    Raises:
        NotTws: no frame is that long.
    """
    payload = await _payload(reader)
    return payload.decode(errors="backslashreplace").split("\0")[:-1]


async def read_greeting(reader: asyncio.StreamReader) -> tuple[int, int]:
    """Read the oldest and the newest version that a client offers.

    Raises:
        NotTws: it does not begin as clients of the API do.
    """
    if await reader.readexactly(4) != b"API\0":
        raise NotTws
    offer = (await _payload(reader)).decode(errors="replace").split(" ")[0]
    oldest, _, newest = offer.removeprefix("v").partition("..")
    if not (oldest.isdigit() and (newest or oldest).isdigit()):
        raise NotTws
    return int(oldest), int(newest or oldest)


async def _payload(reader: asyncio.StreamReader) -> bytes:
    (length,) = struct.unpack(">I", await reader.readexactly(4))
    if length > LONGEST:
        raise NotTws
    return await reader.readexactly(length)


def _text(field: Field) -> str:
    if isinstance(field, str):
        return field
    if isinstance(field, bool):
        return "1" if field else "0"
    if field is None:
        return ""
    return f"{field:f}" if isinstance(field, Decimal) else str(field)
