"""Checked bars with a passport, from any source: `from feeds import history`.

What all share
    bars        the bar frame that every room relies on, and `check_bars` at its door
    bars_spec   which bars are wanted, as a value
    passport    where a frame's bars came from, what was done to them, the hash of their content
    timeframe   how much time one bar spans
    calendars   sessions, closes and gaps of an exchange
    ranges      what a date or a datetime means as a bound, and the cut of bars
    sources     `history`: one call for the bars of every source, found by its file name
    frames      a frame as a Backtrader feed that shows each bar at its end
Sources, one file each; what only one of them needs stands below it
    files       CSV and Parquet files
        tables      a file as a table that knows its line numbers
        times       its times as instants
        shelf       which file of a folder holds which symbol
    synthetic   the embedded market, seeded
        universe    who trades there
        simulation  their days
        bridge      the minutes of a day
        market      sessions, days and minutes of one seed together
        dice        random numbers that are equal on every platform
    yahoo       Yahoo Finance; yahoo_client asks it
    polygon     Polygon.io; polygon_series says what is asked and kept, polygon_client asks it
    polygon_grouped  the whole market of each session in one call, kept by date
    alpaca      Alpaca's market data, past and live; alpaca_client asks for history, alpaca_stream
                listens
    ibkr        bars over IB Gateway: ibkr_history under ibkr_pacing, ibkr_stream by ibkr_minutes
Between a source and its vendor
    vendor      what Yahoo and Polygon share
    cache       bars on disk, topped up; parquet is one such file
Live
    daily_bars  the day's bar, waited for after the close
    gathered_bars  longer bars out of a stream of minutes
    stream      the Backtrader feed of one symbol
    turns       what the feeds of a session have in common
    barrier     all symbols' bars of one time, or a deadline
"""

from feeds.sources import history

__all__ = ["history"]
