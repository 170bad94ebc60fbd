"""Checked bars with a passport, from any source."""
