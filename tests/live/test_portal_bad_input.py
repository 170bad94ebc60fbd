"""What can be wrong with a Client Portal gateway: one line, a documented exit code, no order."""

import socket

import pytest

from live.cli import main

SETTINGS = """
venue = "portal"
folder = "{folder}"
{more}
[data]
symbols = ["AAPL"]
[portal]
{portal}
"""


@pytest.fixture
def said(tmp_path, capsys):
    """The exit code and the one line on stderr of a session with such settings."""

    def start(portal="", more=""):
        settings = tmp_path / "live.toml"
        words = {"folder": tmp_path / "session", "portal": portal, "more": more}
        settings.write_text(SETTINGS.format(**words))
        code = main(["--settings", str(settings), "--quiet"])
        told = capsys.readouterr().err.strip()
        assert "\n" not in told
        return code, told

    return start


def free_port():
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return line.getsockname()[1]


def test_gateway_that_does_not_run_is_named_with_its_port_and_how_to_start_it(said):
    port = free_port()
    code, told = said(f'url = "https://127.0.0.1:{port}"')
    assert code == 2
    assert f"127.0.0.1:{port}: nobody answers: start the Client Portal gateway" in told


@pytest.mark.parametrize(
    ("portal", "text"),
    [
        ('url = "https://gateway.example"', "name the PEM file of its certificate"),
        ('url = "http://gateway.example"', "is not encrypted: use https"),
        ('url = "localhost"', "is no address"),
        ('certificate = "nowhere.pem"', "nowhere.pem"),
    ],
)
def test_gateway_that_cannot_be_trusted_is_refused(said, portal, text):
    code, told = said(portal)
    assert code == 2
    assert text in told


def test_url_of_another_protocol_is_refused_and_not_ignored(said):
    code, told = said(more='url = "http://127.0.0.1:1"')
    assert code == 2
    assert "url" in told
