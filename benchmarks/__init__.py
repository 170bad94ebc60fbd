"""What it costs: run by `make bench`, never as a test."""
