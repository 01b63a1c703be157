"""What two optimizers are set to, in one language: which settings differ, and what torch's would have to be.

Settings are evidence beside the numbers: a beta or amsgrad may not show in the updates that are compared. They are
compared where both classes are their library's own; what a user's class makes of them shows in numbers only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from crossfw.verification.row import Row
from crossfw.verification.tree import listed

KINDS = {
    "SGD": ("sgd", "nag"),
    "Adam": ("adam",),
    "AdamW": ("adam",),
    "RMSprop": ("rmsprop",),
    "Adagrad": ("adagrad",),
    "Adadelta": ("adadelta",),
    "Adamax": ("adamax",),
}
TRAPS = {"adam": 11, "rmsprop": 12, "adagrad": 13, "adadelta": 13, "sgd": 14, "nag": 15}
DECOUPLED = ("adagrad", "adadelta")  # kinds whose weight decay stands beside the gradient
NEAR = 1e-9  # of two settings that are the same: one may have passed through other arithmetic


@dataclass(frozen=True)
class Part:
    """A setting that differs, and how torch's side would be with MXNet's.

    Attributes:
        error: |torch - MXNet| / |MXNet|, 1 for switches.
        stated: whether both sides say it, so that it is a difference by itself.
        values, rates, more: of a change of the user's optimizer (`torch_optimizers.adjust`); None where no setting of
            torch's does it.
        gradients, clip: of changes before the step.
        rule: of MXNet's rule in the optimizer's place (`torch_optimizers.Rule`).
    """

    cause: str
    place: str
    found: str
    remedy: str
    trap: int | None = None
    error: float = 1.0
    stated: bool = False
    direct: bool = True
    values: dict = field(default_factory=dict)
    rates: dict | None = None
    more: dict = field(default_factory=dict)
    gradients: dict | None = None
    clip: dict | None = None
    rule: dict = field(default_factory=dict)


def apart(a: Any, b: Any) -> float:
    """|a - b| / |b| of two settings, 0 where they are the same."""
    if isinstance(a, bool) or isinstance(b, bool):
        return float(bool(a) != bool(b))
    gap = abs(float(a) - float(b))
    return 0.0 if gap <= NEAR * abs(float(b)) else gap / (abs(float(b)) or 1.0)


class Optimizers:
    """The two optimizers of a pair.

    Args:
        mxnet, torch: what `start` tells.
        names: MXNet's name by torch's, of arrays that learn.
        vectors: torch's names of arrays of one axis.
    """

    def __init__(self, mxnet: dict, torch: dict, names: dict[str, str], vectors: set[str]):
        self.mxnet, self.torch, self.names, self.vectors = mxnet, torch, names, vectors
        self.decay = max(mxnet["decay"], torch["decay"])
        self.have = {n: s for n, s in torch.get("settings", {}).items() if n in names}
        self.first = next(iter(self.have.values()), {})
        self.theirs = mxnet.get("settings", {})

    @property
    def known(self) -> bool:
        """Whether there is something to compare on both sides."""
        return "kind" in self.mxnet and bool(self.have)

    @property
    def kind(self) -> str:
        """MXNet's class in small letters."""
        return self.mxnet["kind"]

    @property
    def alike(self) -> bool:
        """Whether the two are the same optimizer under other names."""
        return self.kind in KINDS.get(self.torch["library"], ()) or self.kind.startswith(self.torch["class"].lower())

    @property
    def own(self) -> bool:
        """Whether both are their library's own classes, the same optimizer."""
        return self.known and self.alike and self.mxnet["own"] and self.torch["own"] and self.in_kinds

    @property
    def in_kinds(self) -> bool:
        """Whether the settings of the two have counterparts."""
        return self.kind in KINDS.get(self.torch["library"], ())

    def rows(self, stage: str, dtype: str) -> list[Row]:
        """A row for every setting that both sides state and that differs, but for the rates."""
        return [self.row(part, stage, dtype) for part in self.stated()] if self.own else []

    def row(self, part: Part, stage: str, dtype: str) -> Row:
        """A setting's row."""
        return Row(stage, part.cause, part.cause, dtype, "settings", part.error, 0.0, "different", note=part.found)

    def rate_rows(self, stage: str, dtype: str, rates: list[float]) -> list[Row]:
        """Rows where the learning rate of an update is not MXNet's."""
        if not self.own or self.mxnet["rescale"] != 1:
            return []
        return [self.row(part, stage, dtype) for part in self.rate_parts(rates)]

    # --- what differs -------------------------------------------------------------------------------------------

    def stated(self) -> list[Part]:
        """Settings that both sides state and that differ, the rates left out."""
        return [*self.decays(), *self.momenta(), *self.averages(), *self.switches()]

    def everywhere(self, cause: str, found: str, remedy: str, error: float, values: dict, **more: Any) -> Part:
        """The same values for every parameter."""
        told = dict.fromkeys(self.have, values)
        return Part(cause, "torch_optimizer", found, remedy, error=error, stated=True, values=told, **more)

    def rates(self, rates: list[float]) -> dict[str, list[float]]:
        """Torch's learning rates of every update by parameter, from those of the first group."""
        base = self.first.get("lr") or 1.0
        return {n: [rate * s.get("lr", base) / base for rate in rates] for n, s in self.have.items()}

    def wanted(self, count: int, names: Iterable[str] | None = None) -> dict[str, list[float]]:
        """MXNet's learning rates, with lr_mult; its AdaDelta has none."""
        base = [1.0] * count if self.kind == "adadelta" else self.mxnet["rates"][:count]
        base += base[-1:] * (count - len(base))
        scale = {} if self.kind == "adadelta" else self.mxnet["scale"]
        return {n: [rate * scale.get(self.names[n], 1.0) for rate in base] for n in names or self.have}

    def rate_parts(self, rates: list[float]) -> Iterator[Part]:
        """The learning rate where it differs, from update to update, or for parameters with an lr_mult."""
        ours, theirs = self.rates(rates), self.wanted(len(rates))
        gaps = {n: max((apart(a, b) for a, b in zip(ours[n], theirs[n])), default=0.0) for n in ours}
        differ = [n for n, gap in gaps.items() if gap]
        if not differ:
            return
        words: dict = {"rates": theirs, "error": max(gaps.values()), "stated": True, "rule": {"rates": theirs}}
        scales = {n: self.mxnet["scale"].get(self.names[n], 1.0) for n in differ}
        if len(differ) < len(gaps) and all(scale != 1 for scale in scales.values()):
            several = ", ".join(f"{scale:g}" for scale in dict.fromkeys(scales.values()))
            found = f"MXNet's parameters have lr_mult {several}, torch's the learning rate of all others"
            remedy = f"a group of their own for {listed(differ)}, with lr={theirs[differ[0]][0]:.6g}"
            yield Part("lr_mult", listed(differ), found, remedy, 43, **words)
            return
        name = differ[0]
        wrong = next(i for i, (a, b) in enumerate(zip(ours[name], theirs[name])) if apart(a, b))
        found = f"learning rate {ours[name][wrong]:.9g} where MXNet's is {theirs[name][wrong]:.9g}"
        found += f", at update {wrong + 1}"
        remedy = f"lr={theirs[name][0]:.9g}"
        if len(set(theirs[name])) > 1 or len(set(ours[name])) > 1:
            remedy = "give every update MXNet's learning rate: " + ", ".join(f"{r:.6g}" for r in theirs[name][:4])
        yield Part("learning rate", "torch_optimizer", found, remedy, 1, **words)

    def decays(self) -> Iterator[Part]:
        """Weight decay: of all, or where MXNet's wd_mult or torch's groups treat biases apart."""
        wanted = {n: self.mxnet["decays"].get(self.names[n], 0.0) for n in self.have}
        rescale = self.mxnet["rescale"]
        have = {n: s.get("weight_decay", 0.0) for n, s in self.have.items()}
        differ = [n for n in wanted if apart(have[n], wanted[n])]
        decoupled = bool(self.first.get("decoupled_weight_decay"))
        words: dict = {"rule": {"decays": wanted}, "stated": rescale == 1}
        values = {n: {"weight_decay": value} for n, value in wanted.items()}
        if decoupled and any(wanted.values()):
            values = {n: {**v, "decoupled_weight_decay": False} for n, v in values.items()}
            differ = differ or list(wanted)
        if not differ:
            return
        if self.kind in DECOUPLED and any(wanted.values()):
            words = {"rule": {"decays": wanted}, "direct": False}
        now, then = have[differ[0]], wanted[differ[0]]
        mults = {self.mxnet["wd_mult"].get(self.names[n], 1.0) for n in wanted}
        told = f" (wd_mult {', '.join(f'{m:g}' for m in sorted(mults))})" if len(mults) > 1 else ""
        rest = set(wanted) - set(differ)
        partial = bool(rest) and (set(differ) <= self.vectors or rest <= self.vectors)
        where = listed(differ) if rest else "torch_optimizer"
        found = f"weight decay {now:g} of {listed(differ)} where MXNet has {then:g}{told}"
        if decoupled and now == then:
            found = f"the weight decay {now:g} stands beside the gradient, MXNet's in it"
        remedy = f"weight_decay={then:g}" + (f" for {listed(differ)}, in a group of their own" if rest else "")
        cause = "weight decay on biases" if partial else "weight decay"
        error = max(apart(have[n], wanted[n]) for n in differ) or 1.0
        yield Part(cause, where, found, remedy, 17 if partial else None, error, values=values, **words)

    def momenta(self) -> Iterator[Part]:
        """Momentum, dampening, Nesterov's form; RMSprop's momentum."""
        first, theirs = self.first, self.theirs
        if "momentum" not in first or self.kind not in ("sgd", "nag", "rmsprop"):
            return
        name = "momentum" if self.kind != "rmsprop" else "gamma2"
        wanted = 0.0 if self.kind == "rmsprop" and not theirs.get("centered") else theirs.get(name, 0.0)
        have, dampening = first["momentum"], first.get("dampening", 0.0) if first["momentum"] else 0.0
        error = max(apart(have, wanted), float(dampening))
        if error:
            values = {"momentum": wanted, "dampening": 0.0} if "dampening" in first else {"momentum": wanted}
            if not wanted and "nesterov" in first:
                values["nesterov"] = False
            found = f"momentum {have:g}" + (f", dampening {dampening:g}," if dampening else "")
            found += f" where MXNet has {name}={wanted:g}"
            remedy = f"momentum={wanted:g}" + (", dampening=0" if dampening else "")
            yield self.everywhere("momentum", found, remedy, error, values, trap=14, rule={"settings": {name: wanted}})
        nesterov = self.kind == "nag"
        if "nesterov" in first and wanted and bool(first["nesterov"]) != nesterov:
            values = {"momentum": wanted, "dampening": 0.0, "nesterov": nesterov}
            found, remedy = f"nesterov={not nesterov} where MXNet has {self.kind}", f"nesterov={nesterov}"
            rule = {"kind": self.kind, "settings": {"momentum": wanted}}
            yield self.everywhere("optimizer kind", found, remedy, 1.0, values, trap=15, rule=rule)

    def averages(self) -> Iterator[Part]:
        """Factors by which averages forget: betas, alpha, rho."""
        first, theirs = self.first, self.theirs
        if "betas" in first and "beta1" in theirs:
            wanted = [theirs["beta1"], theirs["beta2"]]
            error = max(apart(a, b) for a, b in zip(first["betas"], wanted))
            if error:
                found = f"betas={tuple(first['betas'])} where MXNet has beta1={wanted[0]:g}, beta2={wanted[1]:g}"
                rule = {"settings": {"beta1": wanted[0], "beta2": wanted[1]}}
                remedy = f"betas=({wanted[0]:g}, {wanted[1]:g})"
                yield self.everywhere("betas", found, remedy, error, {"betas": wanted}, rule=rule)
        for ours, name in (("alpha", "gamma1"), ("rho", "rho")):
            if ours in first and name in theirs and apart(first[ours], theirs[name]):
                found = f"{ours}={first[ours]:g} where MXNet has {name}={theirs[name]:g}"
                error, rule = apart(first[ours], theirs[name]), {"settings": {name: theirs[name]}}
                remedy = f"{ours}={theirs[name]:g}"
                trap, values = TRAPS.get(self.kind), {ours: theirs[name]}
                yield self.everywhere(ours, found, remedy, error, values, trap=trap, rule=rule)

    def switches(self) -> Iterator[Part]:
        """What is switched on on one side."""
        wanted = {"centered": bool(self.theirs.get("centered")), "amsgrad": False, "maximize": False}
        wanted.update(lr_decay=0.0, initial_accumulator_value=0.0)
        for name, value in wanted.items():
            if name in self.first and apart(self.first[name], value):
                found = f"{name}={self.first[name]!r} where MXNet's {self.kind} has {value!r}"
                rule = {"settings": {name: value}} if name == "centered" else {}
                direct = name != "initial_accumulator_value"  # which stands in the state from the beginning
                yield self.everywhere(name, found, f"{name}={value!r}", 1.0, {name: value}, direct=direct, rule=rule)

    @property
    def epsilon(self) -> float | None:
        """MXNet's epsilon."""
        return self.theirs.get("epsilon", self.theirs.get("float_stable_eps"))

    # --- MXNet's rule -------------------------------------------------------------------------------------------

    def rule(self, rates: dict[str, list[float]], *parts: Part) -> dict:
        """The change to MXNet's rule with torch's own settings, but for those of some parts."""
        first, kind = self.first, "nag" if self.first.get("nesterov") else self.kind
        kind = "sgd" if kind == "nag" and not first.get("nesterov") else kind
        betas = first.get("betas", [None, None])
        settings = {
            "momentum": first.get("momentum"),
            "beta1": betas[0],
            "beta2": betas[1],
            "epsilon": first.get("eps"),
            "float_stable_eps": first.get("eps"),
            "gamma1": first.get("alpha"),
            "gamma2": first.get("momentum"),
            "centered": first.get("centered"),
            "rho": first.get("rho"),
        }
        told: dict = {
            "change": "rule",
            "kind": kind,
            "settings": {name: value for name, value in settings.items() if value is not None},
            "rates": rates,
            "decays": {n: s.get("weight_decay", 0.0) for n, s in self.have.items()},
            "rescale": 1.0,
        }
        for part in parts:
            told = {**told, **part.rule, "settings": {**told["settings"], **part.rule.get("settings", {})}}
        return told

    def whole_rule(self, updates: int) -> dict:
        """The change to MXNet's rule with all that MXNet says."""
        return {
            "change": "rule",
            "kind": self.kind,
            "settings": self.theirs,
            "rates": self.wanted(updates, self.names),
            "decays": {n: self.mxnet["decays"].get(m, 0.0) for n, m in self.names.items()},
            "rescale": self.mxnet["rescale"],
        }
