"""Schemathesis throws what it likes at every call in the venue's OpenAPI document."""

from collections.abc import Iterator

import pytest
import requests
import schemathesis
from hypothesis import settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from live.paper.alpaca_openapi import OPERATIONS, document
from live.paper.child import VenueProcess
from tests.live.conformance.small_venue import KEY, SECRET, SYMBOLS, started

HEADERS = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
# No schema can say which orders an account may place, and alpaca-py sends nulls that mean nothing.
NOT_FOR_US = [positive_data_acceptance, negative_data_rejection]
schema = schemathesis.openapi.from_dict(document(SYMBOLS))


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with started(tmp_path_factory.mktemp("schemathesis") / "venue") as running:
        yield running


@pytest.fixture(scope="module")
def line() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@schema.parametrize()
@settings(max_examples=3)  # beside some fifty cases of the schema's edges a call
def test_every_answer_is_one_that_the_document_promises(
    case: schemathesis.Case, venue: VenueProcess, line: requests.Session
) -> None:
    case.call_and_validate(
        base_url=venue.url, session=line, headers=HEADERS, excluded_checks=NOT_FOR_US
    )


def test_the_document_is_served_without_a_key_and_names_every_operation(
    venue: VenueProcess,
) -> None:
    served = requests.get(f"{venue.url}/openapi.json", timeout=10).json()
    assert served == document(SYMBOLS)
    named = {
        f"{method.upper()} {path}" for path, verbs in served["paths"].items() for method in verbs
    }
    assert named == set(OPERATIONS)
