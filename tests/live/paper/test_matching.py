from hypothesis import settings

from tests.live.paper.against_stock import check, drawing


@settings(max_examples=300)
@drawing
def test_random_strategies_are_matched_as_backbroker_matches_them_to_the_bit(stage):
    check(stage)
