"""The documentation holds: its blocks run, its generated parts are fresh, its site builds."""
