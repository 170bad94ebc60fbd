"""Two answers of a venue that `Resilient` must tell from their kin."""

from brokers.errors import Transient, VenueRefused


class Throttled(Transient):
    """The venue answered 429, or its like: surely not accepted, and no sign of a broken venue."""


class DuplicateOrderId(VenueRefused):
    """The venue has seen this client order id before, whatever became of that order."""
