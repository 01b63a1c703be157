"""Matplotlib's SVG in a tenth of its size: short coordinates, styles as classes, no groups and ids without use.

Ids are matplotlib's hashes of what they name, and classes are hashes of their style: two figures that use the same name
mean the same thing by it. That lets an HTML page state each of them once; see `sharing`.
"""

from __future__ import annotations

import hashlib
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from xml.etree.ElementTree import Element

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
FAMILY = "system-ui, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"  # the reader's own
MERGED = ("matplotlib.axis", "PatchCollection")  # groups in which the order of paths does not matter

_ids = re.compile(r"url\(#(\w+)\)")


def compact(svg: str, alt: str) -> str:
    """The figure, small, named `alt` for screen readers, with its classes in a style sheet of its own."""
    root = ElementTree.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", svg))
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{SVG}}}")
        _plain_attributes(element)
    for child in [*root.findall("metadata"), *root.findall("defs")[:1]]:  # joins and caps stand in attributes below
        root.remove(child)
    for group in [g for g in root.iter("g") if g.get("id", "").startswith(MERGED)]:
        _merge_paths(group)
    _inline_what_is_used_once(root)
    _unclip_what_lies_inside(root)
    for path in root.iter("path"):
        path.set("d", shorten(path.get("d", ""), 2 if path.get("id") else 1))
    _shorten_ids(root)
    _prune(root)
    css = _classes(root)
    if css:
        style = Element("style")
        style.text = "".join(f".{name}{{{rules}}}" for name, rules in css.items())
        root.insert(0, style)
    head = {"role": "img", "aria-label": alt, "viewBox": root.get("viewBox", ""), "xmlns": SVG}
    size = {key: root.get(key, "") for key in ("width", "height")}
    root.attrib = {**head, **size, "font-family": FAMILY, "stroke-linejoin": "round", "stroke-linecap": "butt"}
    text = ElementTree.tostring(root, encoding="unicode").replace(" />", "/>")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def shorten(data: str, digits: int) -> str:
    """Path data with `digits` decimals, without points that do not move the pen."""
    parts, pen, drawn = [], ("", ""), False
    for command, numbers in re.findall(r"([MLCQZz])([^MLCQZz]*)", data):
        texts = [_number(float(number), digits) for number in numbers.split()]
        if command in "Zz":
            parts.append("z")
            continue
        end = (texts[-2], texts[-1])
        if command == "L":
            if end == pen and drawn:
                continue
            straight = f"V{end[1]}" if end[0] == pen[0] else f"H{end[0]}" if end[1] == pen[1] else None
            parts.append(straight or f"L{end[0]} {end[1]}")
        else:
            parts.append(command + " ".join(texts))
        pen, drawn = end, command != "M"
    return "".join(parts)


def _number(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _plain_attributes(element: Element) -> None:
    """No foreign names, no rotation by nothing, short coordinates, the reader's fonts."""
    if element.tag != "text":
        element.text = None if element.tag != "style" else element.text
    element.tail = None
    if (link := element.attrib.pop(f"{{{XLINK}}}href", None)) is not None:
        element.set("href", link)
    turn = re.fullmatch(r"rotate\((\S+) (\S+) (\S+)\)", element.get("transform", ""))
    if turn and float(turn[1]) == 0:
        del element.attrib["transform"]
    elif turn:
        element.set("transform", f"rotate({turn[1]} {_number(float(turn[2]), 1)} {_number(float(turn[3]), 1)})")
    for key in ("x", "y"):
        if key in element.attrib:
            element.set(key, _number(float(element.attrib[key]), 1))
    if "style" in element.attrib:
        style = re.sub(r"font: (?:(bold|\d+) )?([\d.]+)px [^;]*", _font, element.attrib["style"])
        element.set("style", re.sub(r"([:;]) ", r"\1", style))


def _font(found: re.Match) -> str:
    """Size and weight only: the family stands at the root."""
    return f"font-size: {found[2]}px" + (f"; font-weight: {found[1]}" if found[1] else "")


def _merge_paths(group: Element) -> None:
    """Paths of one look as one path."""
    first: dict[tuple[str | None, str | None], Element] = {}
    for parent, path in list(_with_parents(group, "path")):
        if path.get("id"):
            continue
        look = (path.get("style"), path.get("clip-path"))
        if look in first:
            first[look].set("d", f"{first[look].get('d', '')} {path.get('d', '')}")
            parent.remove(path)
        else:
            first[look] = path


def _inline_what_is_used_once(root: Element) -> None:
    definitions = {path.get("id"): (parent, path) for parent, path in _with_parents(root, "path") if path.get("id")}
    uses = Counter(use.get("href", "")[1:] for use in root.iter("use"))
    for use in root.iter("use"):
        name = use.get("href", "")[1:]
        if uses[name] == 1 and name in definitions:
            parent, path = definitions[name]
            parent.remove(path)
            own = _rules(path.get("style", "")) | _rules(use.get("style", ""))
            clip = {"clip-path": use.get("clip-path")} if use.get("clip-path") else {}
            use.tag, use.attrib = "path", {"d": _moved(path.get("d", ""), use), "style": _css(own), **clip}


def _unclip_what_lies_inside(root: Element) -> None:
    clips = {}
    for clip in root.iter("clipPath"):
        left, top, width, height = (float(clip[0].get(key, 0)) for key in ("x", "y", "width", "height"))
        clips[f"url(#{clip.get('id')})"] = (left - 1, top - 1, left + width + 1, top + height + 1)
    for element in root.iter():
        if element.get("clip-path") in clips:
            left, top, right, bottom = clips[element.get("clip-path", "")]
            if all(left <= x <= right and top <= y <= bottom for part in element.iter() for x, y in _points(part)):
                del element.attrib["clip-path"]


def _points(element: Element) -> list[tuple[float, float]]:
    if element.tag == "path":
        numbers = [float(number) for number in re.findall(r"[-+.\de]+", element.get("d", ""))]
        return list(zip(numbers[::2], numbers[1::2]))
    return [(float(element.get("x", 0)), float(element.get("y", 0)))] if element.tag == "use" else []


def _moved(data: str, use: Element) -> str:
    """Path data where `use` puts it."""
    x, y = (float(use.get(key, 0)) for key in ("x", "y"))
    return re.sub(
        r"([-+.\de]+) ([-+.\de]+)", lambda found: f"{float(found[1]) + x:.6f} {float(found[2]) + y:.6f}", data
    )


def _shorten_ids(root: Element) -> None:
    """Drop ids to which nothing points; of the others keep seven characters."""
    used = {found for element in root.iter() for text in element.attrib.values() for found in _ids.findall(text)}
    used |= {use.get("href", "")[1:] for use in root.iter("use")}
    for element in root.iter():
        if element.get("id") in used:
            element.set("id", element.get("id", "")[:7])
        else:
            element.attrib.pop("id", None)
        if "clip-path" in element.attrib:
            element.set("clip-path", _ids.sub(lambda found: f"url(#{found[1][:7]})", element.attrib["clip-path"]))
        if element.tag == "use":
            element.set("href", element.get("href", "")[:8])


def _prune(element: Element) -> None:
    """Drop what draws nothing and groups that say nothing."""
    children = []
    for child in list(element):
        _prune(child)
        if _draws_nothing(child):
            continue
        children += list(child) if child.tag == "g" and not child.attrib else [child]
    element[:] = children


def _draws_nothing(element: Element) -> bool:
    if element.tag in ("g", "defs"):
        return len(element) == 0
    if element.tag == "clipPath":
        return not element.get("id")
    if element.tag != "path" or element.get("id"):
        return False
    rules = _rules(element.get("style", ""))
    unseen = rules.get("fill") == "none" and rules.get("stroke", "none") == "none"
    return unseen or not re.search("[LHVCQ]", element.get("d", ""))


def _classes(root: Element) -> dict[str, str]:
    """Turn every style into a class; the classes."""
    found: dict[str, str] = {}
    for element in root.iter():
        if style := element.attrib.pop("style", ""):
            name = "c" + hashlib.sha256(style.encode()).hexdigest()[:6]
            found[name] = style
            element.set("class", name)
    return found


def _rules(style: str) -> dict[str, str]:
    return dict(part.strip().split(":", 1) for part in style.split(";") if ":" in part)


def _css(rules: dict[str, str]) -> str:
    return ";".join(f"{key}:{value.strip()}" for key, value in rules.items())


def _with_parents(root: Element, tag: str) -> Iterator[tuple[Element, Element]]:
    return ((parent, child) for parent in list(root.iter()) for child in list(parent) if child.tag == tag)
