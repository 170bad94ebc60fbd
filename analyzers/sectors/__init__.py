"""What the sector report is made of."""
