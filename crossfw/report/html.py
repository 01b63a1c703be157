"""A report as one HTML page that needs nothing from anywhere: style and figures stand inside."""

from __future__ import annotations

import re

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from crossfw.report.canvas import Drawing
from crossfw.report.grids import BAD, WARNING
from crossfw.report.pages import Page
from crossfw.report.sharing import Shared


def render(page: Page) -> str:
    """The text of `index.html`."""
    environment = Environment(
        loader=PackageLoader("crossfw.report"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    figures = Shared(page.drawings)

    def svg(drawing: Drawing) -> Markup:  # made by canvas.render, which escapes the only foreign text, the label
        return Markup(figures.inlined(drawing))

    environment.filters.update(svg=svg, prose=prose)
    shared = {"style": Markup(figures.style), "definitions": Markup(figures.definitions)}
    template = environment.get_template("page.html.j2")
    text = template.render(page=page, warning=WARNING, bad=(BAD, WARNING[0]), shared=shared)
    return re.sub(r"\n{2,}", "\n", text)


def prose(words: str) -> Markup:
    """`words` escaped, with hyphenated names and numbers (`torch-nn`, `3e-14`) and units kept on one line."""
    text = re.sub(r"(?<=\d) (?=[%kM]\b|%)", "\N{NO-BREAK SPACE}", str(escape(words)))
    return Markup(re.sub(r"(?<![\w-])\w[\w.]*(?:-[\w.]+){1,2}(?![\w-])", r'<span class="nb">\g<0></span>', text))
