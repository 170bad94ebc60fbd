"""One module a page; each has `show(desk)`, and dashboard/pages.py lists them."""
