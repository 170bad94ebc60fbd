"""The real alpaca-py reads the splits of the venue's market."""

from datetime import date
from pathlib import Path

import pytest
from alpaca.data.enums import CorporateActionsType
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.models.corporate_actions import ForwardSplit, ReverseSplit
from alpaca.data.requests import CorporateActionsRequest
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import CorporateActionType
from alpaca.trading.requests import GetCorporateAnnouncementsRequest

from tests.live.conformance.small_venue import KEY, SECRET, started


def test_corporate_actions_client_parses_the_splits_of_the_market(tmp_path: Path) -> None:
    splits = ("AAPL 2024-01-04 4:1", "MSFT 2024-01-03 1:10")
    with started(tmp_path / "venue", splits=splits) as venue:
        client = CorporateActionsClient(KEY, SECRET, url_override=venue.url)
        span = {"start": date(2024, 1, 2), "end": date(2024, 1, 31)}
        found = client.get_corporate_actions(CorporateActionsRequest(**span)).data
        (forward,), (reverse,) = found["forward_splits"], found["reverse_splits"]
        assert isinstance(forward, ForwardSplit)
        assert isinstance(reverse, ReverseSplit)
        assert (forward.symbol, forward.ex_date) == ("AAPL", date(2024, 1, 4))
        assert (forward.new_rate, forward.old_rate, reverse.old_rate) == (4.0, 1.0, 10.0)
        kinds = [CorporateActionsType.REVERSE_SPLIT]
        asked = CorporateActionsRequest(symbols=["AAPL", "MSFT"], types=kinds, limit=1, **span)
        assert client.get_corporate_actions(asked).data == {"reverse_splits": [reverse]}
        by_id = CorporateActionsRequest(ids=[str(forward.id)])
        assert client.get_corporate_actions(by_id).data == {"forward_splits": [forward]}
        assert client.get_corporate_actions(CorporateActionsRequest()).data == {}
        announced = TradingClient(KEY, SECRET, paper=True, url_override=venue.url)
        asked_before = GetCorporateAnnouncementsRequest(
            ca_types=[CorporateActionType.SPLIT], since=date(2024, 1, 1), until=date(2024, 2, 1)
        )
        with pytest.warns(DeprecationWarning, match="deprecated"):
            told = announced.get_corporate_announcements(asked_before)
        assert {(one.initiating_symbol, float(one.new_rate)) for one in told} == {
            ("AAPL", 4.0),
            ("MSFT", 1.0),
        }
