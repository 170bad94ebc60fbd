import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.dice import normals, uniforms


def test_a_normal_number_is_the_centred_sum_of_twelve_quarters_of_three_words():
    entropy = [7, int.from_bytes(b"SPY", "big"), int.from_bytes(b"day", "big")]
    words = np.random.Philox(np.random.SeedSequence(entropy)).random_raw(6).tolist()
    quarters = [word >> shift & 0xFFFF for word in words for shift in (0, 16, 32, 48)]
    expected = [(sum(quarters[at : at + 12]) - 6 * 65535) / 65536 for at in (0, 12)]
    assert normals(2, 7, "SPY", "day").tolist() == expected


def test_the_words_below_are_those_that_numpy_promises():
    # Philox 4x64 with ten rounds, counter 1, key 0: computed with Python's own integers.
    mask, low, high = 2**64 - 1, 0xD2E7470EE14C6C93, 0xCA5A826395121157
    counter, key = [1, 0, 0, 0], [0, 0]
    for _ in range(10):
        first, third = low * counter[0], high * counter[2]
        counter = [
            (third >> 64) ^ counter[1] ^ key[0],
            third & mask,
            (first >> 64) ^ counter[3] ^ key[1],
            first & mask,
        ]
        key = [key[0] + 0x9E3779B97F4A7C15 & mask, key[1] + 0xBB67AE8584CAA73B & mask]
    assert np.random.Philox(key=0).random_raw(4).tolist() == counter


def test_normal_numbers_have_mean_zero_and_deviation_one():
    drawn = normals(200_000, 7, "SPY")
    assert drawn.mean() == pytest.approx(0, abs=0.01)
    assert drawn.std() == pytest.approx(1, abs=0.01)
    assert np.abs(drawn).max() <= 6


def test_uniform_numbers_fill_the_unit_interval():
    drawn = uniforms(100_000, 7, "SPY")
    assert drawn.min() >= 0
    assert drawn.max() < 1
    assert drawn.mean() == pytest.approx(0.5, abs=0.01)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 2**63), st.text(max_size=8))
def test_a_longer_draw_begins_with_the_shorter_one(count, more, seed, key):
    for draw in (normals, uniforms):
        assert draw(count + more, seed, key)[:count].tolist() == draw(count, seed, key).tolist()


def test_another_key_gives_other_numbers():
    assert normals(1, 7, "a")[0] != normals(1, 7, "b")[0] != normals(1, 8, "b")[0]
