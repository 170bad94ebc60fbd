"""The wire to a venue: limits, back-off, breaker, transports. Never imports Backtrader."""
