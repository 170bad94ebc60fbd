"""What a person sees of a session: its decision log and the reports of data/, in a browser."""
