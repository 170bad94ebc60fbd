"""Our paper venue by itself, in each of the protocols that it speaks."""

import pytest

from brokers.errors import ConfigError
from live.paper.faults import Plan
from live.settings import DataSection, PaperSection
from live.venue_alone import FRONTS, run, spec_of


@pytest.mark.parametrize(
    ("front", "account"), [("alpaca", "alpaca"), ("tws", "backtrader"), ("portal", "backtrader")]
)
def test_alpacas_rules_go_with_alpacas_protocol_alone(front: str, account: str) -> None:
    spec = spec_of(PaperSection(account="alpaca"), 10, front)
    assert (spec.front, spec.account, spec.warm_up) == (front, account, 10)


@pytest.mark.parametrize(
    ("front", "kind"), [("alpaca", "server_error"), ("tws", "link_lost"), ("portal", "competing")]
)
def test_storm_is_one_of_the_protocol(front: str, kind: str) -> None:
    plan = Plan.from_toml(spec_of(PaperSection(faults="storm"), 0, front).plan, "storm")
    assert kind in {fault.kind for fault in plan.faults}


def test_unknown_front_is_an_error_that_names_the_others() -> None:
    with pytest.raises(ConfigError, match=f"unknown front 'fix': use {', '.join(FRONTS)}"):
        run("fix", "127.0.0.1", 0, DataSection(), PaperSection())
