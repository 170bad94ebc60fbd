"""Values as JSON can hold them."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from analyzers.plain import plain


@dataclass
class Limits:
    share: float = 0.5


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, None),
        (True, True),
        (Decimal("1.0"), Decimal("1.0")),
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (2**64, "18446744073709551616"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ({1: (Limits(), [])}, {"1": [{"share": 0.5}, []]}),
        (Limits, "Limits"),
        (plain, "plain"),
        (timedelta(1), "1 day, 0:00:00"),
        (object(), "object"),
    ],
)
def test_values_become_plain(value: Any, found: Any) -> None:
    assert plain(value) == found
