"""The interpreter's own setting, lent and given back."""

import gc

import pytest

from backtest.turbo.garbage import OBJECTS, rarer_collections


@pytest.fixture
def thresholds():
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("thresholds")
class TestRarerCollections:
    def test_searches_are_rarer_inside_and_as_before_after_an_error(self):
        gc.set_threshold(700, 10, 10)
        with rarer_collections():
            assert gc.get_threshold()[0] == OBJECTS
        with pytest.raises(LookupError), rarer_collections():
            raise LookupError
        assert gc.get_threshold() == (700, 10, 10)

    @pytest.mark.parametrize("chosen", [0, OBJECTS * 2])
    def test_choice_of_the_user_stands(self, chosen):
        gc.set_threshold(chosen, 10, 10)
        with rarer_collections():
            assert gc.get_threshold() == (chosen, 10, 10)
        assert gc.get_threshold() == (chosen, 10, 10)

    def test_setting_made_inside_stands(self):
        gc.set_threshold(700, 10, 10)
        with rarer_collections():
            gc.set_threshold(900, 10, 10)
        assert gc.get_threshold() == (900, 10, 10)
