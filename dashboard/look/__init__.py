"""How the dashboard looks: colours, cards, charts and times, without knowing what they show."""
