"""Errors carry what one needs to act on them."""

from brokers.errors import OrderRefused, RiskRefused, Transient, Unknown, VenueRefused


def test_refusals_name_rule_limit_value_or_the_venues_words():
    assert str(RiskRefused("max_x", 1, 2)) == "max_x: limit 1, value 2"
    venue = VenueRefused("40310000", "insufficient buying power")
    assert isinstance(venue, OrderRefused)
    assert (venue.code, venue.text) == ("40310000", "insufficient buying power")


def test_unknown_outcome_names_the_order_to_look_for():
    assert Unknown("timed out", "abc").client_order_id == "abc"
    assert Transient("busy", retry_after_s=3.0).retry_after_s == 3.0
