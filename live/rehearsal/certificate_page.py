"""A certificate as a person reads it: a card in a notebook, and a page that needs nothing else."""

import base64
from html import escape

import numpy as np
import pandas as pd

from analyzers import markup
from live.rehearsal.certificate import Certificate

MEANINGS = {  # of the hashes
    "bars": "what both halves were shown",
    "strategy": "the file that the strategy is in",
    "backtest": "decisions, orders and fills of the backtest",
    "live": "decisions, orders and fills of the live stack",
}
SCOPE = (
    "The same bars went through the backtest and through the whole live stack: guard, log, outbox, "
    "wire, a paper venue of our own, and back. Every decision, order, fill and status was compared "
    "by bar, and the account recomputed from the fills. It proves the software, not the market: a "
    "real venue fills at other prices."
)
TICKS = 6  # besides the first
CENTS_BELOW = 20.0  # a narrower span of accounts shows them
STYLE = """
:root { color-scheme: light dark; --line: rgba(128,128,128,.3); --good: #007a59; --bad: #c44d00 }
@media (prefers-color-scheme: dark) { :root { --good: #2fc79a; --bad: #ff8a4c } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: .2rem 0 0 } h2 { font-size: 1.05rem; margin: 1.8rem 0 .4rem }
.verdict { font-weight: 700; letter-spacing: .04em } .soft { opacity: .75; margin: .2rem 0 }
.yes { color: var(--good) } .no { color: var(--bad) }
.numbers { display: grid; grid-template-columns: repeat(6, 1fr); gap: .6rem; margin: 1.2rem 0 }
@media (max-width: 640px) { .numbers { grid-template-columns: repeat(2, 1fr) } }
.numbers div { border: 1px solid var(--line); border-radius: 6px; padding: .45rem .7rem }
.numbers span { display: block; font-size: .8rem; opacity: .75 } .numbers b { font-size: 1.15rem }
.note { border-left: 4px solid var(--bad); padding: .4rem .8rem; margin: .6rem 0 }
.faults { display: flex; flex-wrap: wrap; gap: .4rem; padding: 0; list-style: none; margin: 0 }
.faults li { border: 1px solid var(--line); border-radius: 1rem; padding: .05rem .7rem }
dt { font-weight: 600 } dt span { font-weight: 400; opacity: .75 } dd { margin: 0 0 .5rem }
code { font-size: .82rem; overflow-wrap: anywhere }
img { width: 100%; height: auto; background: #fff; border-radius: 6px; margin-top: .6rem }
"""


def card(certificate: Certificate) -> str:
    """A small table for notebooks that takes the page's own colours."""
    facts = [
        *_numbers(certificate),
        ("rules", certificate.account),
        ("faults", _faults(certificate)),
    ]
    return markup.card(
        f"{certificate.verdict}: {title(certificate)}",
        markup.facts(facts),
        notes=_notes(certificate),
    )


def title(certificate: Certificate) -> str:
    """Strategy, symbols, timeframe and period in one line."""
    first, last = (text[:10] for text in certificate.span)
    where = f" on {', '.join(certificate.symbols)}" if certificate.symbols else ""
    when = f", {certificate.timeframe} bars, {first} to {last}" if first else ""
    return f"{certificate.name}{where}{when}"


def page(certificate: Certificate) -> str:
    """The whole page; every text from outside is escaped."""
    heading = f"Rehearsal of {certificate.name}: backtest and live"
    tone = "yes" if certificate.identical else "no"
    notes = "".join(f'<p class="note">{escape(text)}</p>' for text in _notes(certificate))
    numbers = "".join(
        f"<div><span>{escape(label)}</span><b>{escape(text)}</b></div>"
        for label, text in _numbers(certificate)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(heading)}</title>'
        f"<style>{STYLE}</style></head><body>"
        f'<div class="verdict {tone}">{certificate.verdict}</div><h1>{escape(heading)}</h1>'
        f'<p class="soft">{escape(title(certificate))}; account rules: '
        f"{escape(certificate.account)}; faults: {escape(certificate.plan)}</p>"
        f'{notes}<div class="numbers">{numbers}</div>'
        f"{_picture(certificate)}{_struck(certificate)}{_hashes(certificate)}"
        f'<h2>What this says</h2><p class="soft">{escape(SCOPE)}</p></body></html>\n'
    )


def _notes(certificate: Certificate) -> list[str]:
    """Why it is no proof."""
    difference = certificate.first_difference
    told = [] if difference is None else [f"first difference: {difference.text}"]
    return [*told, *certificate.objections]


def _numbers(certificate: Certificate) -> list[tuple[str, str]]:
    return [
        ("bars", f"{certificate.bars:,}"),
        ("orders", f"{certificate.orders:,}"),
        ("fills", f"{certificate.fills:,}"),
        ("faults struck", f"{sum(certificate.faults_hit.values()):,}"),
        ("sessions", f"{certificate.lives:,}"),
        ("venue's equity off by", f"{certificate.venue_off_by:,.4f}"),
    ]


def _faults(certificate: Certificate) -> str:
    hits = ", ".join(f"{kind} {count}" for kind, count in certificate.faults_hit.items())
    return f"{certificate.plan}: {hits}" if hits else certificate.plan


def _struck(certificate: Certificate) -> str:
    if not certificate.faults_hit:
        return ""
    struck = "".join(
        f"<li>{escape(kind.replace('_', ' '))}{f': {count:,}' if count > 1 else ''}</li>"
        for kind, count in certificate.faults_hit.items()
    )
    return f'<h2>What went wrong on purpose</h2><ul class="faults">{struck}</ul>'


def _hashes(certificate: Certificate) -> str:
    rows = "".join(
        f"<dt>{escape(name)} <span>{escape(MEANINGS.get(name, ''))}</span></dt>"
        f"<dd><code>{escape(value)}</code></dd>"
        for name, value in certificate.hashes.items()
    )
    return f"<h2>SHA-256</h2><dl>{rows}</dl>" if rows else ""


def _picture(certificate: Certificate) -> str:
    if certificate.equity.empty:
        return ""
    content = base64.b64encode(equity_png(certificate.equity)).decode()
    return f'<img alt="Equity of backtest and live" src="data:image/png;base64,{content}">'


def equity_png(equity: pd.DataFrame) -> bytes:
    """Both accounts over the bars, the live one dashed, on top of the backtest's."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    from analyzers.picture import BLUE, ORANGE, png  # noqa: PLC0415

    figure = Figure(figsize=(11, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot(equity["backtest"].to_numpy(), color=ORANGE, linewidth=4.0, label="backtest")
    axes.plot(equity["live"].to_numpy(), color=BLUE, linewidth=1.4, linestyle="--", label="live")
    places = [round(part * (len(equity) - 1) / TICKS) for part in range(TICKS + 1)]
    axes.set_xticks(places, [f"{equity.index[place]:%Y-%m-%d\n%H:%M}" for place in places])
    axes.set_xlabel("end of bar, UTC; nights take no room")
    axes.set_ylabel("account, in its currency")
    axes.yaxis.set_major_formatter(
        "{x:,.2f}" if float(np.ptp(equity)) < CENTS_BELOW else "{x:,.0f}"
    )
    axes.legend(loc="best")
    return png(figure, dpi=130)
