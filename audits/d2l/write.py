"""The audit's folder: `audit.csv`, `report.md`, `index.html`."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path

from audits.d2l.rows import AGREES, DIFFERS, FAILED, KNOWN, NOT_COMPARED, AuditRow

TITLE = "d2l.mxnet against d2l.torch, 1.0.3"
ORDER = (FAILED, DIFFERS, KNOWN, AGREES, NOT_COMPARED)
COLUMNS = ("name", "section", "verdict", "first failing stage", "cause or reason", "notes")


def write_report(rows: list[AuditRow], out: Path) -> None:
    """Write the three files into `out`."""
    import pandas

    out.mkdir(parents=True, exist_ok=True)
    pandas.DataFrame([asdict(row) for row in rows]).to_csv(out / "audit.csv", index=False)
    (out / "report.md").write_text(markdown(rows), encoding="utf-8")
    (out / "index.html").write_text(page(rows), encoding="utf-8")


def summary(rows: list[AuditRow]) -> str:
    """How many rows have each verdict."""
    counts = Counter(row.verdict for row in rows)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in ORDER if counts[verdict])


def lines(rows: list[AuditRow]) -> list[tuple[str, ...]]:
    """The cells of the printed table, the rows that matter most first."""
    ordered = sorted(rows, key=lambda row: ORDER.index(row.verdict))
    return [
        (
            f"{row.name} (mxnet.py:{row.mxnet_line}, torch.py:{row.torch_line})",
            row.section,
            row.verdict,
            row.stage,
            reason(row),
            ". ".join(text for text in (row.note, row.aside) if text),
        )
        for row in ordered
    ]


def reason(row: AuditRow) -> str:
    """Why: the cause that is known and whether removing it restores agreement; else what was found."""
    if not row.cause:
        return "" if row.verdict == AGREES else row.found
    mended = f" With that alone removed: {row.mended}." if row.mended else ""
    found = f" Found: {row.found}." if row.verdict != KNOWN else ""
    return f"{row.cause}.{mended}{found}"


def markdown(rows: list[AuditRow]) -> str:
    """The report as Markdown."""
    cells = [COLUMNS, tuple("---" for _ in COLUMNS), *lines(rows)]
    table = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in cells)
    return f"# {TITLE}\n\n{summary(rows)}.\n\n{table}\n"


def page(rows: list[AuditRow]) -> str:
    """The report as one HTML file."""
    from jinja2 import Environment, PackageLoader, select_autoescape

    templates = Environment(loader=PackageLoader("audits.d2l"), autoescape=select_autoescape())
    template = templates.get_template("audit.html")
    return template.render(title=TITLE, summary=summary(rows), columns=COLUMNS, lines=lines(rows))
