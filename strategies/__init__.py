"""One file a strategy; the file's name is the strategy's name."""
