"""The embedded paper venue: one matching engine, and the fronts that real clients talk to."""
