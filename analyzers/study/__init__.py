"""Preparation and study of data for machine learning: features, labels, splits, sets."""
