"""What is seen of a run: the decision log, equity, trades, metrics."""
