"""Checked bars with a passport, from any source."""

from feeds.sources import history

__all__ = ["history"]
