"""Backtests from a notebook or the command line."""
