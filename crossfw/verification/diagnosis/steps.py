"""Clipping and optimizers: thresholds, learning rate, momentum, betas, epsilon, weight decay, another rule."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations
from typing import Any

import numpy as np

from crossfw.errors import CrossfwError
from crossfw.verification.diagnosis.case import Case
from crossfw.verification.diagnosis.trying import Hypothesis, suppose
from crossfw.verification.epsilon import epsilons as epsilons_of
from crossfw.verification.epsilon import placing
from crossfw.verification.optimizer_settings import DECOUPLED, TRAPS, Optimizers, Part
from crossfw.verification.row import Cause
from crossfw.verification.stages import Stages
from crossfw.verification.tree import listed
from crossfw.verification.updates import norm_of

WORDS = {
    "norm": ("the norm of all gradients together", "torch.nn.utils.clip_grad_norm_(model.parameters(), {:.6g})"),
    "norm of each": ("the norm of each gradient", "for p in model.parameters(): clip_grad_norm_(p, {:.6g})"),
    "value": ("each number of the gradients", "torch.nn.utils.clip_grad_value_(model.parameters(), {:.6g})"),
}
LARGE = 1e3  # the norm of gradients that most thresholds of norms cut
RULES = ("sgd", "nag", "adam", "rmsprop", "adagrad", "adadelta")  # that torch's side can be given


# --- clipping ---------------------------------------------------------------------------------------------------


def clipping(case: Case) -> Iterator[Hypothesis]:
    """MXNet's clipping in the place of torch's, where the port has a function for each."""
    theirs, ours = known_clip(case.stages, "mxnet"), known_clip(case.stages, "torch")
    if theirs is None:
        return
    if theirs["kind"] == "none":
        found = f"torch_clip clips {told_clip(ours)}, mxnet_clip does not clip"
        yield suppose("clip threshold", "torch_clip", found, "let torch_clip leave the gradients", clip_change(theirs))
        return
    words, remedy = WORDS[theirs["kind"]]
    found = f"MXNet clips {words} to {theirs['threshold']:.6g}, torch "
    found += told_clip(ours) if ours is not None and ours["kind"] != "none" else "does not"
    if ours is not None and ours["kind"] == theirs["kind"]:
        change = {"change": "clip", "factor": theirs["threshold"] / ours["threshold"]}
        remedy = f"let the threshold be {theirs['threshold']:.6g}"
        yield suppose("clip threshold", "torch_clip", found, remedy, change, trap=1)
        return
    remedy = remedy.format(theirs["threshold"])
    yield suppose("clip threshold", "torch_clip", found, remedy, clip_change(theirs), trap=1)


def told_clip(known: dict | None) -> str:
    """A clipping in words."""
    if known is None or known["kind"] == "none":
        return "gradients"
    return f"{WORDS[known['kind']][0]} to {known['threshold']:.6g}"


def clip_change(known: dict) -> dict:
    """The change to a known clipping."""
    return {"change": "clip", **known}


def known_clip(stages: Stages, framework: str) -> dict | None:
    """What a side's function does to gradients of two sizes: {"kind", "threshold"}; None where it is nothing known."""
    if not stages.gradients or framework not in stages.pair.settings["clips"]:
        return None
    found = []
    try:
        for given in (stages.resized(LARGE), stages.huge()):
            given = given if framework == "mxnet" else stages.to_torch_gradients(given)
            found.append(kind_of_clip(given, stages.pair.side(framework).call("clip", gradients=given)))
    except CrossfwError:
        return None
    first, last = found
    same = first["kind"] == last["kind"] and abs(first["threshold"] - last["threshold"]) <= 1e-4 * last["threshold"]
    return last if same and last["kind"] else None


def kind_of_clip(given: dict[str, np.ndarray], found: dict[str, np.ndarray]) -> dict:
    """The clipping that made gradients of others; the kind is empty where it is none that is known."""
    if all(np.array_equal(given[n], found[n]) for n in found):
        return {"kind": "none", "threshold": 0.0}
    norms = {n: norm_of({n: g}) for n, g in found.items() if np.any(given[n])}
    factors = {n: norm / norm_of({n: given[n]}) for n, norm in norms.items()}
    straight = all(np.allclose(found[n], factors[n] * given[n], rtol=1e-6, atol=0) for n in factors)
    if straight and max(factors.values()) <= min(factors.values()) * (1 + 1e-6):
        return {"kind": "norm", "threshold": norm_of(found)}
    if straight and max(norms.values()) <= min(norms.values()) * (1 + 1e-4):
        return {"kind": "norm of each", "threshold": max(norms.values())}
    limit = max(float(np.abs(g).max(initial=0.0)) for g in found.values())
    if all(np.allclose(found[n], np.clip(given[n], -limit, limit), rtol=1e-6, atol=0) for n in found):
        return {"kind": "value", "threshold": limit}
    return {"kind": "", "threshold": 0.0}


# --- optimizers -------------------------------------------------------------------------------------------------


def optimizers(case: Case) -> Iterator[Hypothesis]:
    """MXNet's settings in the user's optimizer, alone and together; then other steps in the place of the user's."""
    stages = case.stages
    updates = 2 if case.stage == "update" else stages.pair.settings["updates"]
    try:
        told = stages.optimizers(updates)
        if not told.known:
            return
        stages.reset()
        rates = stages.pair.torch.call(
            "rates", gradients=stages.to_torch_gradients(stages.gradients[0]), updates=updates
        )
    except CrossfwError:
        return
    if not told.alike:
        yield from another_kind(told, updates)
        return
    stated = [*told.rate_parts(rates), *told.stated()]
    more = [*clips(stages, told), *rescaling(told), *missing(told)]
    yield from direct(told, rates, stated, more)
    yield from in_its_place(told, rates, stated, more)


def direct(told: Optimizers, rates: list[float], stated: list[Part], more: list[Part]) -> Iterator[Hypothesis]:
    """The user's own optimizer with other settings: one, two, all that are stated, these and one more."""
    parts = [*stated, *more, *epsilons(told)]
    tried = set()
    for chosen in chain(
        ((part,) for part in parts),
        combinations(parts, 2),
        [tuple(stated)],
        ((*stated, other) for other in parts[len(stated) :]),
        [(*stated, *more)],
    ):
        names = tuple(map(id, chosen))
        causes = [part.cause for part in chosen]
        if chosen and names not in tried and len(set(causes)) == len(causes) and all(part.direct for part in chosen):
            tried.add(names)
            yield Hypothesis(tuple(map(cause_of, chosen)), changes_of(told, rates, chosen))


def cause_of(part: Part) -> Cause:
    """What is reported of a part."""
    return Cause(part.cause, part.place, part.found, part.remedy, part.trap)


def changes_of(told: Optimizers, rates: list[float], parts: tuple) -> tuple[dict, ...]:
    """The changes of torch's side that give it MXNet's settings.

    An optimizer that is changed keeps its own learning rates: a scheduler would lose its groups.
    """
    changes = [clip_change(part.clip) for part in parts if part.clip]
    gradients = {k: v for part in parts if part.gradients for k, v in part.gradients.items()}
    changes += [{"change": "gradients", **gradients}] if gradients else []
    settings = [part for part in parts if part.values or part.rates or part.more]
    if settings:
        values: dict[str, dict] = {}
        for part in settings:
            for name, one in part.values.items():
                values[name] = {**values.get(name, {}), **one}
        change: dict = {"change": "optimizer", "values": values}
        wanted = next((part.rates for part in settings if part.rates), None)
        if wanted or "lr" in told.first:
            change["rates"] = wanted or told.rates(rates)
        for part in settings:
            change.update(part.more)
        changes.append(change)
    return tuple(changes)


def epsilons(told: Optimizers) -> Iterator[Part]:
    """MXNet's epsilon, its root, or one for every update."""
    have = told.first.get("eps")
    if have is None or told.epsilon is None:
        return
    trap, found = TRAPS.get(told.kind), f"eps={have:g} where MXNet's {told.kind} has epsilon={told.epsilon:g}"
    for value in (told.epsilon, told.epsilon**0.5):
        if value != have:
            values = dict.fromkeys(told.have, {"eps": value})
            yield Part("optimizer epsilon", "torch_optimizer", found, f"eps={value:g}", trap, values=values)
    if told.kind == "adam" and told.epsilon:
        more = {"epsilons": epsilons_of(told)}
        found = f"{found}, outside the correction of its averages"
        yield Part("optimizer epsilon", "torch_optimizer", found, placing(told), trap, more=more)


def clips(stages: Stages, told: Optimizers) -> Iterator[Part]:
    """Clipping that stands on one side, or inside MXNet's Trainer."""
    sides, limit = stages.pair.settings["clips"], told.theirs.get("clip_gradient")
    inside = {"settings": {"clip_gradient": limit}}
    words = f"MXNet's Trainer clips each number of the gradients to {limit or 0:g} (clip_gradient)"
    if sides == ["torch"] and limit:
        found, change = f"{words}, torch_clip does something else", {"kind": "value", "threshold": limit}
        yield Part("clip_gradient", "torch_clip", found, WORDS["value"][1].format(limit), 16, clip=change, rule=inside)
    elif sides == ["torch"]:
        found = f"torch_clip clips {told_clip(known_clip(stages, 'torch'))}, nothing on MXNet's side does"
        remedy = "leave out torch_clip, or say in mxnet_clip what the MXNet script does"
        yield Part("clipping", "torch_clip", found, remedy, clip={"kind": "none"})
    elif limit:
        plain = told.kind in ("sgd", "nag", *DECOUPLED) or not any(told.mxnet["decays"].values())
        remedy = WORDS["value"][1].format(limit) + " before every step"
        remedy += "" if plain else f"; MXNet's {told.kind} clips what the weight decay has been added to"
        change = {"value": limit}
        found = f"{words}, nothing on torch's side does"
        yield Part("clip_gradient", "torch_optimizer", found, remedy, 16, direct=plain, gradients=change, rule=inside)
    if sides == ["mxnet"]:
        known = known_clip(stages, "mxnet")
        if known is not None and known["kind"] != "none":
            found = f"mxnet_clip clips {told_clip(known)}, nothing on torch's side does"
            remedy = f"def torch_clip(model): {WORDS[known['kind']][1].format(known['threshold'])}"
            yield Part("clipping", "torch_clip", found, remedy, clip=known)


def rescaling(told: Optimizers) -> Iterator[Part]:
    """The factor by which a Trainer multiplies gradients."""
    factor = told.mxnet["rescale"]
    if factor != 1:
        found = f"MXNet's Trainer multiplies gradients by rescale_grad={factor:g}, torch's side does not"
        remedy = f"before every step: for p in model.parameters(): p.grad.mul_({factor:g})"
        rule, change = {"rescale": factor}, {"scale": factor}
        yield Part("rescale_grad", "torch_optimizer", found, remedy, 43, gradients=change, rule=rule)


def missing(told: Optimizers) -> Iterator[Part]:
    """Parameters that torch's optimizer does not have."""
    lost = sorted(set(told.names) - set(told.have))
    if lost:
        remedy, change = f"give {listed(lost)} to the optimizer", {"added": lost}
        yield Part("frozen parameter", listed(lost), "the optimizer does not have it", remedy, more=change)


def in_its_place(told: Optimizers, rates: list[float], stated: list[Part], more: list[Part]) -> Iterator[Hypothesis]:
    """Torch's own step in the place of one that the user wrote; then MXNet's rule, with torch's settings or MXNet's."""
    ours, library = told.rates(rates), told.torch["library"]
    if library and not told.torch["own"]:
        change = {"change": "plain optimizer", "library": library, "settings": told.have, "rates": ours}
        found = f"the step of {told.torch['class']} is not that of torch.optim.{library} with its settings"
        remedy = f"let {told.torch['class']} leave the step to torch.optim.{library}"
        yield suppose("optimizer step", "torch_optimizer", found, remedy, change)
    if told.kind not in RULES or not told.in_kinds:
        return
    inherent = list(of_the_rule(told, rates))
    parts = [part for part in (*stated, *more) if part.rule]
    for chosen in chain([()], ((part,) for part in parts), combinations(parts, 2), [tuple(stated)], [tuple(parts)]):
        causes = tuple(map(cause_of, chosen)) + tuple(inherent)
        if causes:
            yield Hypothesis(causes, (told.rule(ours, *chosen),))


def of_the_rule(told: Optimizers, rates: list[float]) -> Iterator[Cause]:
    """In what MXNet's rule differs from torch's whatever the settings, where it is that which may show."""
    kind, place, trap = told.kind, "torch_optimizer", TRAPS.get(told.kind)
    if kind in ("adam", "rmsprop", "adagrad") and told.epsilon and told.torch["own"]:
        found = f"MXNet's {kind} has epsilon={told.epsilon:g} in another place"
        yield Cause("optimizer epsilon", place, found, placing(told), trap)
    elif kind == "sgd" and told.first.get("momentum") and len(set(rates)) > 1:
        found = "the learning rate changes, and MXNet's buffer of momentum keeps the rates that were"
        remedy = "hold the learning rate in the buffer: buffer = momentum * buffer - lr * gradient; p += buffer"
        yield Cause("momentum", place, found, remedy, trap)
    elif kind == "nag":
        found = "MXNet's NAG decays its buffer with the weight that it has just written"
        remedy = "buffer = momentum * buffer; p += (momentum + 1) * (buffer - lr * (g + wd * p)) - buffer; "
        yield Cause("optimizer kind", place, found, remedy + "buffer -= lr * (g + wd * p)", trap)
    elif kind in DECOUPLED and any(told.mxnet["decays"].values()):
        found = f"the weight decay of MXNet's {kind} stands beside the gradient"
        yield Cause("weight decay", place, found, "weight_decay=0, and p -= wd * p beside the step", trap)


def another_kind(told: Optimizers, updates: int) -> Iterator[Hypothesis]:
    """MXNet's rule in the place of another one."""
    if told.kind in RULES and told.mxnet["own"]:
        found, kind = f"{told.torch['class']} where MXNet has {told.kind}", told.kind
        remedy = f"use torch's counterpart of {kind}"
        change: dict[str, Any] = told.whole_rule(updates)
        yield suppose("optimizer kind", "torch_optimizer", found, remedy, change, trap=TRAPS.get(kind))
