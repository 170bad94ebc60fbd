"""One strategy through its backtest and through the whole live stack, and what differs."""
