"""Who trades in the synthetic market: eleven sectors with real ETF tickers and invented names.

The names cannot be taken for companies: TEC1 is the first of the technology sector.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import fsum, sqrt

from feeds.dice import uniforms

MARKET = "SPY"


@dataclass(frozen=True)
class Sector:
    """One sector: its ETF, and its members named prefix1, prefix2 and so on."""

    name: str
    etf: str
    prefix: str
    size: int
    beta: float  # what its members have on average towards the market

    @property
    def members(self) -> tuple[str, ...]:
        """The tickers of its names."""
        return tuple(f"{self.prefix}{number}" for number in range(1, self.size + 1))


SECTORS = (
    Sector("Technology", "XLK", "TEC", 8, 1.20),
    Sector("Health Care", "XLV", "MED", 7, 0.80),
    Sector("Financials", "XLF", "FIN", 7, 1.10),
    Sector("Consumer Discretionary", "XLY", "SHO", 6, 1.15),
    Sector("Industrials", "XLI", "IND", 6, 1.05),
    Sector("Consumer Staples", "XLP", "STA", 5, 0.65),
    Sector("Energy", "XLE", "OIL", 5, 1.00),
    Sector("Materials", "XLB", "MAT", 4, 1.00),
    Sector("Utilities", "XLU", "UTI", 4, 0.55),
    Sector("Real Estate", "XLRE", "REA", 4, 0.85),
    Sector("Communication Services", "XLC", "COM", 4, 1.00),
)


@dataclass(frozen=True)
class Traits:
    """What stays the same of one symbol; deviations are of daily returns (0.01 is 1 %)."""

    beta: float  # towards the market factor
    loading: float  # towards its sector's factor
    deviation: float  # of what is its own
    price: float  # at the first open, dollars
    shares: int  # outstanding, millions
    turnover: float  # shares on an ordinary day
    earnings: int  # session of each quarter, from 0, that opens with its earnings


def sectors() -> dict[str, str]:
    """Symbol -> sector of each invented name; SPY and the ETFs are not among them."""
    return {symbol: sector.name for sector in SECTORS for symbol in sector.members}


def etfs() -> dict[str, str]:
    """Sector -> symbol of its ETF."""
    return {sector.name: sector.etf for sector in SECTORS}


def home(symbol: str) -> str:
    """The sector fund of a name; a fund itself, and SPY, are their own."""
    fund = etfs().get(sectors().get(symbol, ""))
    return fund or symbol


def names() -> tuple[str, ...]:
    """All 72 symbols: SPY, the eleven ETFs, the sixty names."""
    return (MARKET, *etfs().values(), *sectors())


@lru_cache(maxsize=4)
def traits(seed: int) -> dict[str, Traits]:
    """The traits of all symbols, drawn for each name alone."""
    drawn = {symbol: _draw(sector, symbol, seed) for sector in SECTORS for symbol in sector.members}
    funds = {
        sector.etf: _fund([drawn[name] for name in sector.members], 60.0, 1.0) for sector in SECTORS
    }
    market = _fund(list(drawn.values()), 200.0, 0.0)
    return {MARKET: market, **funds, **drawn}


def _draw(sector: Sector, symbol: str, seed: int) -> Traits:
    u = uniforms(7, seed, symbol, "traits").tolist()
    return Traits(
        beta=sector.beta * (0.8 + 0.4 * u[0]),
        loading=0.7 + 0.6 * u[1],
        deviation=0.010 + 0.010 * u[2],
        price=40.0 + 260.0 * u[3] * u[3],
        shares=200 + int(2800 * u[4] * u[4]),
        turnover=1.0e6 + 1.9e7 * u[5] * u[5],
        earnings=10 + int(25 * u[6]),
    )


def _fund(members: list[Traits], price: float, loading: float) -> Traits:
    # fsum is exact; the built-in sum rounds differently from Python 3.12 on.
    count = len(members)
    return Traits(
        beta=fsum(member.beta for member in members) / count,
        loading=loading,
        deviation=fsum(member.deviation for member in members) / (count * sqrt(count)),
        price=price,
        shares=0,
        turnover=3.0 * fsum(member.turnover for member in members) / count,
        earnings=-1,
    )
