"""Live and paper trading: the composition root of `python -m live`."""
