"""Seawall, stock Backtrader and other backtesters side by side: `python -m benchmarks.peers`."""
