"""Figures inside one HTML page: classes, markers and clips that they have in common are stated once."""

from __future__ import annotations

import re
from collections.abc import Iterable

from crossfw.report.canvas import Drawing


class Shared:
    """Figures for the inside of a page: `style` and `definitions` belong to all of them, `inlined` is one of them."""

    def __init__(self, drawings: Iterable[Drawing]):
        self._bodies: dict[str, str] = {}
        self._names: dict[str, str] = {}
        rules: dict[str, str] = {}
        definitions: dict[str, str] = {}
        for drawing in drawings:
            body = drawing.svg[drawing.svg.index("<svg ") :].replace(' xmlns="http://www.w3.org/2000/svg"', "")
            rules |= re.findall(r"\.(c[0-9a-f]{6})\{(.*?)\}", "".join(re.findall(r"<style>(.*?)</style>", body)))
            inside = "".join(re.findall(r"<defs>(.*?)</defs>", body))
            definitions |= {
                found[1]: found[0]
                for found in re.finditer(r'<(?:path|clipPath) id="(\w+)".*?(?:</clipPath>|/>(?!</clipPath>))', inside)
            }
            self._bodies[drawing.name] = re.sub(r"<style>.*?</style>|<defs>.*?</defs>", "", body).strip()
        for name in rules:
            self._names[name] = f"s{len(self._names)}"
        self.style = "".join(f".{self._names[name]}{{{style}}}\n" for name, style in rules.items())
        self.definitions = self._renamed("".join(definitions.values()))

    def inlined(self, drawing: Drawing) -> str:
        """The SVG without what the page states once."""
        return self._renamed(self._bodies[drawing.name])

    def _renamed(self, svg: str) -> str:
        renamed = re.sub(r'class="(c[0-9a-f]{6})"', lambda found: f"class={self._names[found[1]]}", svg)
        return re.sub(r"=(s\d+)/>", r"=\1 />", renamed.replace(" />", "/>"))  # HTML would read the slash into the name
