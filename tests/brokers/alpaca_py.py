"""The vendor's own client, whose import warns of the websockets that it uses."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.trading import models, requests

__all__ = ["models", "requests"]
