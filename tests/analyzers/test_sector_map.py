import doctest
from datetime import date

import pytest

from analyzers import sector_map
from analyzers.sector_map import SECTORS, Facts, SectorMap, sector_of_sic, sectors_on
from analyzers.sectors.sic import RANGES
from brokers.errors import DataError

TODAY = date(2024, 3, 8)


def write(tmp_path, text):
    path = tmp_path / "map.csv"
    path.write_text(text)
    return path


def placed(facts, on=TODAY):
    return SectorMap({"X": facts}).placed(["X"], on)["X"]


def test_examples_hold():
    assert doctest.testmod(sector_map).failed == 0


def test_every_range_belongs_to_a_sector_and_has_a_beginning():
    assert {name for _, _, name in RANGES} == {sector.name for sector in SECTORS}
    assert all(first <= last for first, last, _ in RANGES)
    assert len({item[:2] for item in RANGES}) == len(RANGES)


@pytest.mark.parametrize(
    ("code", "sector"),
    [
        (3571, "Information Technology"),  # Apple
        (7372, "Information Technology"),  # Microsoft
        (3674, "Information Technology"),  # AMD
        (6021, "Financials"),  # JPMorgan
        (2834, "Health Care"),  # Pfizer
        (6324, "Health Care"),  # UnitedHealth
        (2911, "Energy"),  # Exxon Mobil
        (1311, "Energy"),  # Range Resources
        (2080, "Consumer Staples"),  # Coca-Cola
        (5331, "Consumer Staples"),  # Walmart
        (5731, "Consumer Discretionary"),  # Best Buy
        (5211, "Consumer Discretionary"),  # Home Depot
        (4911, "Utilities"),
        (6798, "Real Estate"),
        (4813, "Communication Services"),
        (1040, "Materials"),
        (3721, "Industrials"),  # Boeing
    ],
)
def test_well_known_codes_fall_into_their_sectors(code, sector):
    assert sector_of_sic(code)[0] == sector


def test_an_override_comes_before_yahoo_and_yahoo_before_the_code():
    facts = Facts(sector="Energy", yahoo="Utilities", sic="3571")
    assert (placed(facts).sector, placed(facts).rule) == ("Energy", "override: Energy")
    found = placed(Facts(yahoo="Consumer Cyclical", sic="3571"))
    assert (found.sector, found.rule) == ("Consumer Discretionary", "yahoo: Consumer Cyclical")
    found = placed(Facts(sic="3571"))
    assert (found.sector, found.rule) == ("Information Technology", "SIC 3571 in 3570-3579")


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        (Facts(), "the sector map says nothing of it"),
        (Facts(yahoo="Moon"), "no sector is called 'Moon'"),
        (Facts(sic="9999"), "SIC 9999 lies in no range of a sector"),
        (Facts(sic="35x1"), "SIC 35x1 lies in no range of a sector"),
    ],
)
def test_what_no_rule_decides_has_the_reason(facts, rule):
    assert (placed(facts).sector, placed(facts).rule) == (None, rule)


def test_a_symbol_that_is_not_in_the_map_has_the_reason():
    assert SectorMap().placed(["Y"], TODAY)["Y"].rule == "it is not in the sector map"


@pytest.mark.parametrize(
    ("day", "etf"),
    [("2015-10-06", 9), ("2015-10-07", 10), ("2018-06-17", 10), ("2018-06-18", 11)],
)
def test_a_sector_exists_from_the_first_day_of_its_fund(day, etf):
    assert len(sectors_on(date.fromisoformat(day))) == etf


def test_members_count_with_the_older_sector_before_their_fund_exists():
    facts = Facts(sic="6798")
    early = placed(facts, date(2015, 10, 6))
    assert early.sector == "Financials"
    assert early.rule == "SIC 6798 in 6798; Real Estate has a fund from 2015-10-07 on"
    assert placed(facts, date(2015, 10, 7)).sector == "Real Estate"


def test_a_file_says_as_much_as_its_columns(tmp_path):
    path = write(tmp_path, "symbol, sic, sector\nAAPL, 3571,\nJPM,,financials\n")
    found = SectorMap.read(path).placed(["AAPL", "JPM"], TODAY)
    assert {name: item.sector for name, item in found.items()} == {
        "AAPL": "Information Technology",
        "JPM": "Financials",
    }


def test_the_version_changes_with_the_facts_alone():
    one, other = {"A": Facts("Energy"), "B": Facts(sic="3571")}, {"A": Facts("Utilities")}
    turned = dict(reversed(one.items()))
    assert SectorMap(one).version == SectorMap(turned).version
    assert SectorMap(one).version != SectorMap({**one, **other}).version


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name,sector\n", "has the columns name, sector: write symbol,sector,yahoo,sic"),
        ("symbol,industry\n", "has the columns symbol, industry"),
        ("", "has the columns :"),
        ("symbol,sector\nA,Moon\n", "line 2: no sector 'Moon': there are Information Technology"),
        ("symbol,sector\n,Energy\n", "line 2 has no symbol"),
        ("symbol,sector\nA,Energy\nA,Energy\n", "line 3 names A again"),
        ("symbol,sector\nA,Energy,x\n", "line 2 has more cells than columns"),
    ],
)
def test_a_file_that_is_wrong_is_refused_by_its_line(tmp_path, text, complaint):
    with pytest.raises(DataError, match=complaint):
        SectorMap.read(write(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        SectorMap.read(tmp_path / "none.csv")
