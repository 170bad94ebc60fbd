"""Rehearsal certificates: what went through backtest and live stack, and if it was the same."""

from pathlib import Path

import streamlit as st

from dashboard import report_page, reports
from dashboard.desk import Desk
from dashboard.look import cards, tables
from dashboard.look.cards import Card
from dashboard.look.tables import Cell
from dashboard.tone import Tone
from live.rehearsal.certificate import Certificate
from live.rehearsal.certificate_page import MEANINGS, SCOPE, title
from live.rehearsal.kept import PAGE, PLAIN, kept

COMMAND = "python -m live rehearse sma_cross --faults storm --out out/rehearsal"
COLUMNS = ("kept in", "verdict", "strategy", "symbols", "bars of", "faults", "rules", "bars",
           "orders", "fills")  # fmt: skip


def show(desk: Desk) -> None:
    """Show it."""
    out = desk.options.out
    files = reports.below(out, PLAIN)
    if not files:
        report_page.none_yet("Certificates", f"certificate in {out}", COMMAND)
        return
    names = [f"{file.parent.relative_to(out)}" for file in files]
    top = st.container()
    file = report_page.chosen("Rehearsal", files, names, "certificate")
    certificate = reports.read(kept, file)
    with top:
        cards.heading("Certificates", title(certificate), _verdict(certificate))
    _say(certificate)
    cards.cards(_figures(certificate))
    cards.facts(_facts(certificate))
    _download(file.with_name(PAGE))
    cards.remark(SCOPE)
    if len(files) > 1:
        cards.section("All rehearsals")
        tables.table(
            COLUMNS,
            [_row(name, reports.read(kept, it)) for name, it in zip(names, files, strict=True)],
            numbers=("bars", "orders", "fills"),
        )


def _verdict(certificate: Certificate) -> tuple[str, Tone]:
    return ("identical", "good") if certificate.identical else ("not identical", "bad")


def _say(certificate: Certificate) -> None:
    difference = certificate.first_difference
    if difference is not None:
        where = f" at {difference.bar}" if difference.bar else ""
        cards.banner(f"First difference: {difference.what}{where}. {difference.cause}", "bad")
        cards.facts(
            [("backtest", f"{difference.backtest}"), ("live", f"{difference.live}")],
            differing=("backtest", "live"),
        )
    for objection in certificate.objections:
        cards.banner(objection, "watch")


def _figures(certificate: Certificate) -> list[Card]:
    return [
        Card("Bars", f"{certificate.bars:,}", certificate.timeframe),
        Card("Orders", f"{certificate.orders:,}", "legs counted"),
        Card("Fills", f"{certificate.fills:,}", "at the paper venue"),
        Card("Faults struck", f"{sum(certificate.faults_hit.values()):,}", certificate.plan),
        Card("Sessions", f"{certificate.lives:,}", "one more than there were kills"),
        Card("Equity off by", f"{certificate.venue_off_by:,.4f}", "venue against ours"),
    ]


def _facts(certificate: Certificate) -> list[tuple[str, str]]:
    struck = [f"{kind.replace('_', ' ')} {n}" for kind, n in certificate.faults_hit.items()]
    return [
        ("rules", certificate.account),
        ("faults struck", ", ".join(struck) or "none"),
        *(
            (f"SHA-256 of {name}", f"{value} ({MEANINGS.get(name, '')})")
            for name, value in certificate.hashes.items()
        ),
    ]


def _download(page: Path) -> None:
    if page.exists():
        st.download_button(
            "Download the certificate",
            page.read_bytes,
            file_name=f"{page.parent.name}-{page.name}",
            mime="text/html",
            icon=":material/download:",
            on_click="ignore",
        )


def _row(name: str, certificate: Certificate) -> list[Cell]:
    return [
        name, _verdict(certificate), certificate.name, ", ".join(certificate.symbols),
        certificate.timeframe, certificate.plan, certificate.account, f"{certificate.bars:,}",
        f"{certificate.orders:,}", f"{certificate.fills:,}",
    ]  # fmt: skip
