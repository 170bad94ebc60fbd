import io

from rich.console import Console

from backtest.sweep_progress import shown


def test_a_terminal_is_shown_the_sets_done_and_the_rate():
    screen = Console(file=io.StringIO(), force_terminal=True, width=100)
    with shown("sma_cross", screen) as report:
        for done in range(0, 101, 10):
            report(done, 100)
    told = screen.file.getvalue()
    assert "sma_cross" in told
    assert "100/100" in told
    assert "sets/s" in told


def test_nothing_is_shown_where_nobody_would_see_it():
    for screen in (Console(file=io.StringIO()), Console(force_terminal=True, quiet=True)):
        with shown("sma_cross", screen) as report:
            assert report is None
