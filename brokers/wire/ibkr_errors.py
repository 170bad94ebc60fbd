"""What the TWS API calls errors: verdicts, warnings and news of the line.

Source: the API's "Message Codes", and what clients were seen to make of them
(ib_async#191 for 10349, Lean#249 for orders that go on while 1100 stands).
"""

IN_USE = 326
LINK_LOST = frozenset({1100, 2110})
LINK_BACK = frozenset({1101, 1102})  # 1101: what was subscribed to is gone
DUPLICATE_ORDER_ID = 103
CANCELED = 202
NOT_FOUND, ENDED_ALREADY = 10147, 10148
ENDS_ORDER = frozenset({201, 203})  # also when it was at work
NOT_CANCELLED = frozenset({161, 135})
# No parent, no such time in force, no parts of a share: verdicts beyond the numbers of most.
REFUSES = frozenset({10006, 10052, 10243, 10268, 10318})
TOO_FAST = frozenset({100})
NO_DEFINITION = 200
INVALID = 321

NO_PERMISSION = frozenset({354, 10089, 10090, 10168, 10186, 10187, 10197})

# Orders live on after these, whatever a client library says.
_WARNINGS = frozenset({165, 399, 404, 492, 10167, 10349})


def is_warning(code: int) -> bool:
    """Whether it changes nothing: held until the open (399), outsideRth ignored (2109), and so on.

    10349 says that the time in force was set by a preset; clients take it for a cancel.
    """
    return code in _WARNINGS or 2100 <= code < 2200


def is_verdict(code: int) -> bool:
    """Whether it surely refuses the order it answers; of all others the venue is asked."""
    if code in REFUSES:
        return True
    return 100 < code < 500 and code != CANCELED and not is_warning(code)


def is_read_only(code: int, text: str) -> bool:
    """Whether the gateway lets nobody trade; it then answers no question about orders either.

    Source: erdewit/ib_insync#1, IbcAlpha/IBC#10.
    """
    return code == INVALID and "read-only" in text.lower()


def lacks_permission(code: int, text: str) -> bool:
    """Whether the login may not have these prices, or another session of it has them."""
    return code in NO_PERMISSION or "permission" in text.lower()
