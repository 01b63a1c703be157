"""A report folder, written so that an interruption leaves the older report whole."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from crossfw.errors import CrossfwError
from crossfw.report import html, markdown, pages
from crossfw.results import archive, encoding, tables
from crossfw.results.schema import Results

CSV = ("perplexity.csv", "throughput.csv", "measures.csv", pages.SWEEP)


def write_report(results: Results, folder: str | Path) -> None:
    """Write the report of `results` into `folder`, over an older one.

    All files are first written aside, then renamed, `results.json` last: where it is, the rest of its report is.
    """
    folder = Path(folder)
    contents = _contents(results)
    aside = {name: folder / f"{name}.tmp" for name in contents}
    try:
        (folder / "figures").mkdir(parents=True, exist_ok=True)
        for name, path in aside.items():
            path.write_bytes(contents[name])
        for name, path in aside.items():
            path.replace(folder / name)
        if pages.SWEEP not in contents:
            (folder / pages.SWEEP).unlink(missing_ok=True)
    except OSError as fault:
        found = f"{type(fault).__name__}: {fault.strerror or fault}"
        raise CrossfwError(f"a report in {folder}", found, "give --out a folder that can be written to") from fault
    finally:
        if folder.is_dir():
            for path in aside.values():
                path.unlink(missing_ok=True)


def _contents(results: Results) -> dict[str, bytes]:
    """Every file by its path in the folder, in the order in which they are renamed."""
    page = pages.lay_out(results)
    frames = tables.frames(results)
    files = {name: _csv(frames[name.removesuffix(".csv")]) for name in CSV if name in page.files}
    files["agreement.csv"] = archive.as_csv(results)
    files[archive.FILE] = archive.pack(results)
    for drawing in page.drawings:
        files[f"figures/{drawing.name}.svg"] = drawing.svg.encode()
        files[f"figures/{drawing.name}.png"] = drawing.png
    files["report.md"] = markdown.render(page).encode()
    files["index.html"] = html.render(page).encode()
    files["results.json"] = encoding.dumps(archive.without_rows(results)).encode()
    return files


def _csv(frame: pd.DataFrame) -> bytes:
    """Eight digits; `results.json` has them all."""
    return frame.to_csv(index=False, lineterminator="\n", float_format="%.8g").encode()
