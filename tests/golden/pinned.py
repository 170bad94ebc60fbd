"""What was pinned, held against what is found now."""

import pytest


def compare(found, pinned, place=""):
    if isinstance(pinned, dict):
        assert list(found) == list(pinned), place
        for key in pinned:
            compare(found[key], pinned[key], f"{place}.{key}")
    elif isinstance(pinned, list):
        assert len(found) == len(pinned), place
        for number, item in enumerate(pinned):
            compare(found[number], item, f"{place}.{number}")
    elif isinstance(pinned, float):
        assert found == pytest.approx(pinned, rel=1e-9, abs=1e-12), place
    else:
        assert found == pinned, place
