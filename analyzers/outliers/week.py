"""Which symbols stood out over several sessions."""

from collections.abc import Iterable, Sequence

from analyzers.outliers.report import Candidate, Hit, ScreenedDay


def candidates(days: Sequence[ScreenedDay]) -> tuple[Candidate, ...]:
    """The symbols that had a hit: most days first, then most discoveries, then the strongest."""
    of_symbol: dict[str, list[tuple[int, Hit]]] = {}
    for number, day in enumerate(days):
        for hit in day.hits:
            of_symbol.setdefault(hit.symbol, []).append((number, hit))
    found = [_candidate(symbol, hits) for symbol, hits in of_symbol.items()]
    found.sort(key=lambda one: (-one.days, -one.discoveries, -one.strength, one.symbol))
    return tuple(one.model_copy(update={"rank": place}) for place, one in enumerate(found, start=1))


def _candidate(symbol: str, found: Sequence[tuple[int, Hit]]) -> Candidate:
    hits = [hit for _, hit in found]
    strongest = max(hits, key=lambda hit: hit.strength)
    return Candidate(
        symbol=symbol,
        sector=strongest.sector,
        rank=0,
        days=len({number for number, _ in found}),
        hits=len(hits),
        discoveries=sum(hit.is_discovery for hit in hits),
        strength=strongest.strength,
        strongest_at=strongest.at,
        reasons=strongest.reasons,
        flags=_all(flag for hit in hits for flag in hit.flags),
    )


def _all(flags: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(flags))
