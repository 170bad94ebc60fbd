"""Sector reports kept by date, so that changes of rank can be shown."""

from pathlib import Path

from analyzers.sectors.parts import SectorReport


def keep(report: SectorReport, path: Path) -> None:
    """Save the report at `path`, and beside it under its date.

    Raises:
        ConfigError: it cannot be written there.
    """
    report.save(_folder(path) / f"{report.as_of}.json")
    report.save(path)


def ranks(
    path: Path, of: str = "equal", most: int | None = None
) -> dict[str, dict[str, int | None]]:
    """The rank of each sector by date (ISO, increasing), of the reports kept beside `path`.

    Args:
        of: "equal", the members in equal shares, or "fund".
        most: so many of them, the last; None for all.

    Raises:
        DataError: one of them is damaged or of another version of the schema.
    """
    found: dict[str, dict[str, int | None]] = {}
    files = sorted(_folder(path).glob("[0-9]*.json"))
    for file in files if most is None else files[-most:]:
        report = SectorReport.load(file)
        forms = {it.name: it.equal if of == "equal" else it.fund for it in report.sectors}
        found[report.as_of.isoformat()] = {
            name: None if form is None else form.rank for name, form in forms.items()
        }
    return found


def _folder(path: Path) -> Path:
    """Reports of data/sector_report.json are kept in data/sector_report/."""
    return path.with_suffix("") if path.suffix else path.with_name(f"{path.name}.kept")
