"""Faults put into the torch side of a family at random, by rule: each has to be found, at its place, by its name."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
import torch
from torch import nn

from crossfw.errors import CrossfwError
from crossfw.ports.portfile import Port
from crossfw.verification.run import verify_pair
from crossfw.verification.sides import local_sides
from crossfw.verification.verdict import PortVerdict
from tests.families.families import FAMILIES, functions_of, reseeded
from tests.families.fault_rules import MODULES, TEXTS

SECONDS = 20.0  # that the search for a cause may take
ROW = "{:20} {:28} {:34} {:8} {:7} {:6} {:>5}  {}"


@dataclass(frozen=True)
class Fault:
    """A fault of a family's torch side.

    Attributes:
        place: the path of the faulty module, the class whose code is wrong, or the port's function.
        causes: names, one of which the verdict should give; none where no known difference is meant.
        port: the functions of the port with it.
    """

    family: str
    name: str
    place: str
    causes: frozenset
    port: dict[str, Any]

    def verdict(self) -> PortVerdict:
        """What crossfw says of it."""
        with local_sides(Port(dict(self.port), "crossfw.verify(...)")) as pair:
            return verify_pair(pair, self.name, seconds=SECONDS)


@dataclass(frozen=True)
class Found:
    """What became of a fault."""

    fault: Fault
    verdict: PortVerdict

    @property
    def caught(self) -> bool:
        """Whether the two sides are told to differ."""
        return self.verdict.word == "differs"

    @property
    def placed(self) -> bool:
        """Whether the place is the faulty layer or function, or what holds a layer that has no partner of its own."""
        place, lines = self.fault.place, [line.strip() for line in self.verdict.place]
        marked = next((line for line in lines if "<-- first divergence" in line), "")
        if place.startswith("torch_") or f"({place})" in marked:  # a function of the port, or a class
            return bool(marked) or self.verdict.where.startswith(place)
        path = re.split(r"[ :]", marked)[0]
        partner = any(line.startswith(f"{place} (") and "~" in line for line in lines)
        holds = not partner and (path == "(model)" or place.startswith(path + "."))
        known = {word for cause in self.verdict.causes for word in re.split(r"[ ,]+", cause.place)}
        return path == place or holds or place in known or place in re.split(r"[ ,]+", self.verdict.where)

    @property
    def named(self) -> bool:
        """Whether one of the right causes is named."""
        return not self.fault.causes or bool({cause.name for cause in self.verdict.causes} & self.fault.causes)

    @property
    def told(self) -> str:
        """The first stage, the place and the causes, in a line."""
        causes = "; ".join(f"{cause.name} at {cause.place}" for cause in self.verdict.causes)
        return f"[{self.verdict.stage}] {self.verdict.where} | {causes or '-'}"


def possible(name: str) -> Iterator[tuple[str, Callable[[np.random.Generator], Fault | None]]]:
    """(rule, what draws a fault by it) for every rule that a family has a place for."""
    port = functions_of(name)
    torch.manual_seed(0)
    paths = dict(port["torch_model"]().named_modules())
    for rule, (causes, changed, forward) in MODULES.items():
        sites = [path for path, module in paths.items() if path and changed(path, module, paths) is not None]

        def drawn(rng: Any, rule: str = rule, causes: Any = causes, changed: Any = changed, shows: bool = forward,
                  sites: list = sites) -> Fault | None:  # fmt: skip
            path = sites[rng.integers(len(sites))]

            def made() -> nn.Module:
                model = port["torch_model"]()
                modules = dict(model.named_modules())
                model.set_submodule(path, changed(path, modules[path], modules))
                return model

            shown = not shows or visible(port["torch_model"], made, port["inputs"])
            return Fault(name, rule, path, frozenset(causes), {**port, "torch_model": made}) if shown else None

        if sites:
            yield rule, drawn
    text = FAMILIES[name].read_text()
    for rule, (function, causes, pattern, new) in TEXTS.items():
        begin = text.find(f"def {function}(")
        whole = (
            text[begin : text.find("\n\n\n", begin) if "\n\n\n" in text[begin:] else len(text)] if begin >= 0 else ""
        )
        hits = list(re.finditer(pattern, whole))

        def edited(rng: Any, rule: str = rule, function: str = function, causes: Any = causes, new: str = new,
                   begin: int = begin, whole: str = whole, hits: list = hits) -> Fault | None:  # fmt: skip
            hit = hits[rng.integers(len(hits))]
            source = text[: begin + hit.start()] + hit.expand(new) + text[begin + hit.end() :]
            values: dict[str, Any] = {"__name__": name}
            exec(compile(source, str(FAMILIES[name]), "exec"), values)
            holder = re.findall(r"class (\w+)", whole[: hit.start()])
            place = holder[-1] if holder and function == "torch_model" else function
            shown = function != "torch_model" or visible(port[function], values[function], port["inputs"])
            return Fault(name, rule, place, frozenset(causes), {**port, function: values[function]}) if shown else None

        if hits:
            yield rule, edited


def visible(right: Callable, wrong: Callable, inputs: Callable) -> bool:
    """Whether a fault of the forward changes an output at all, in inference: a dilation does not on one pixel."""
    drawn = inputs(np.random.default_rng(0))
    arrays = [torch.as_tensor(a) for a in (drawn if isinstance(drawn, tuple) else (drawn,))]
    outputs = []
    for make in (right, wrong):
        torch.manual_seed(0)
        found = make().double().eval()(*arrays)  # with gradients: transformers go another way without
        outputs.append([a.detach().numpy() for a in (found if isinstance(found, (tuple, list)) else (found,))])
    return any(not np.allclose(a, b, rtol=1e-7, atol=1e-9) for a, b in zip(*outputs))


def draw(name: str, count: int, seed: int = 0) -> list[Fault]:
    """Faults of a family by different rules."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    rules, found = list(possible(name)), []
    for index in rng.permutation(len(rules)):
        fault = rules[index][1](rng)
        found += [fault] if fault and len(found) < count else []
    return found


def found_of(fault: Fault, seed: int = 0) -> Found:
    """What crossfw finds."""
    port = {**fault.port, **{w: reseeded(fault.port[w], seed) for w in ("inputs", "targets") if w in fault.port}}
    return Found(fault, Fault(fault.family, fault.name, fault.place, fault.causes, port).verdict())


def report(names: list[str], count: int, seed: int = 0) -> bool:
    """Print what is found of drawn faults; whether all is well."""
    print(ROW.format("family", "fault", "place", "caught", "placed", "named", "time", ""), flush=True)
    well = True
    for fault in (fault for name in names for fault in draw(name, count, seed)):
        started = time.monotonic()
        try:
            found = found_of(fault, seed)
            signs = ["yes" if sign else "NO" for sign in (found.caught, found.placed, found.named)]
            told = found.told
        except CrossfwError as error:
            signs, told = ["error", "", ""], " ".join(str(error).split())
        well &= set(signs) == {"yes"}
        seconds = f"{time.monotonic() - started:.0f} s"
        print(ROW.format(fault.family, fault.name, fault.place, *signs, seconds, told), flush=True)
    return well
