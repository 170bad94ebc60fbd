"""The venues behind a gateway, from the command line."""

import socket
from pathlib import Path

from live.cli import main


def test_check_of_the_embedded_gateway_is_a_go(tmp_path, capsys):
    words = ["check", "--venue", "paper-tws", "--symbols", "SPY", "--folder", str(tmp_path / "out")]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert told.startswith("GO")
    assert "DU123456, equity 100000" in told


def test_gateway_that_does_not_run_is_one_line_and_no_start(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = Path(tmp_path / "live.toml")
    settings.write_text(f'venue = "ibkr"\n[ibkr]\nport = {port}\n')
    words = ["--settings", str(settings), "--folder", str(tmp_path / "out"), "--quiet"]
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "nobody answers" in line
    assert f"port {port}" in line


def test_real_money_behind_a_gateway_takes_the_explicit_word(tmp_path, capsys):
    assert main(["--venue", "ibkr-live", "--folder", str(tmp_path / "out")]) == 2
    assert "--yes-real-money" in capsys.readouterr().err


def test_url_is_refused_where_a_gateway_is_meant(tmp_path, capsys):
    words = ["--url", "http://127.0.0.1:8765", "--folder", str(tmp_path / "out")]
    for venue in ("paper-tws", "ibkr"):
        assert main([*words, "--venue", venue]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert f"leave it out for {venue}, and say host and port of a gateway in [ibkr]" in line
