"""Other people's clients and checkers against the paper venue."""

import warnings

with warnings.catch_warnings():
    # alpaca-py 0.44 speaks through websockets' legacy client, which warns when it is imported
    warnings.filterwarnings("ignore", "websockets.legacy is deprecated", DeprecationWarning)
    import alpaca.trading.stream  # noqa: F401
