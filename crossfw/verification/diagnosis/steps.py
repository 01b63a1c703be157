"""Clipping and optimizers: thresholds, learning rate, momentum, epsilon, decay of biases, another rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from crossfw.errors import CrossfwError
from crossfw.verification.comparing import slot_pairs
from crossfw.verification.diagnosis.case import Case
from crossfw.verification.diagnosis.trying import Hypothesis, suppose
from crossfw.verification.stages import Stages
from crossfw.verification.tree import listed

RULES = {
    "SGD": ("sgd", "nag"),
    "Adam": ("adam",),
    "RMSprop": ("rmsprop",),
    "Adagrad": ("adagrad",),
    "Adadelta": ("adadelta",),
}
TRAPS = {"adam": 11, "rmsprop": 12, "adagrad": 13, "adadelta": 13, "sgd": 14, "nag": 15}


def clipping(case: Case) -> Iterator[Hypothesis]:
    """MXNet's threshold, seen in what it leaves of large gradients; with the user's own function, or without."""
    stages = case.stages
    if not stages.gradients:
        return
    norm = total(stages.gradients[0]) or 1.0
    given = {name: g * (1e3 / norm) for name, g in stages.gradients[0].items()}
    try:
        mxnet = stages.pair.mxnet.call("clip", gradients=given)
        torch = stages.pair.torch.call("clip", gradients=stages.to_torch_gradients(given))
    except CrossfwError:
        return
    theirs, ours = total(mxnet), total(torch)
    if abs(theirs - ours) > 1e-6 * theirs and ours:
        found = f"torch clips to a norm of {ours:.6g}, MXNet to {theirs:.6g}"
        remedy = f"let the threshold be {theirs:.6g}"
        yield suppose(
            "clip threshold", "torch_clip", found, remedy, {"change": "clip", "factor": theirs / ours}, trap=1
        )
        told = {"change": "clip", "kind": "norm", "threshold": theirs}
        found = f"MXNet clips the norm of all gradients to {theirs:.6g}, torch does not"
        remedy = f"clip the norm of all gradients together: clip_grad_norm_(model.parameters(), {theirs:.6g})"
        yield suppose("clip threshold", "torch_clip", found, remedy, told, trap=1)


def total(gradients: dict[str, np.ndarray]) -> float:
    """The norm of all gradients."""
    return float(np.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in gradients.values())))


def optimizers(case: Case) -> Iterator[Hypothesis]:
    """Single settings of the user's optimizer, then MXNet's rule in its place."""
    stages = case.stages
    try:
        told = stages.pair.both("start")
    except CrossfwError:
        return
    mxnet, torch = told["mxnet"], told["torch"]
    if "kind" not in mxnet or "settings" not in torch:
        return
    names = partners(stages)
    kind, library = mxnet["kind"], torch["library"]
    alike = kind in RULES.get(library, ()) or kind.startswith(torch["class"].lower())
    single = list(settings(mxnet, torch, names)) if alike else []
    yield from single
    yield from (a + b for i, a in enumerate(single) for b in single[i + 1 :])
    if case.stage == "update" or not alike:  # later a rule of the same kind would hide what the user's does besides
        yield from rules(stages, mxnet, torch, names, alike)


def partners(stages: Stages) -> dict[str, str]:
    """MXNet's name by torch's, of arrays that learn."""
    return {p.torch.name: p.mxnet.name for p in slot_pairs(stages.mapping) if p.torch.learns}


def settings(mxnet: dict, torch: dict, names: dict[str, str]) -> Iterator[Hypothesis]:
    """Learning rate, momentum, epsilon, decay: MXNet's values in the user's own optimizer."""
    have, theirs = torch["settings"], mxnet["settings"]
    first = next(iter(have.values()), {})
    rates = [rate * mxnet["rescale"] for rate in mxnet["rates"]] if mxnet["kind"] in ("sgd", "nag") else mxnet["rates"]
    wanted = ", ".join(f"{rate:.6g}" for rate in dict.fromkeys(rates[:3]))
    found = f"learning rate {first.get('lr', 0):.6g} where MXNet's is {wanted}"
    yield suppose(
        "learning rate",
        "torch_optimizer",
        found,
        f"lr={rates[0]:.6g}" + (" with MXNet's schedule" if len(set(rates)) > 1 else ""),
        {"change": "optimizer", "rates": rates},
        trap=1,
    )
    yield from decay(mxnet, have, names)
    momentum = theirs.get("momentum", 0.0)
    if "momentum" in first and mxnet["kind"] in ("sgd", "nag"):
        nesterov = mxnet["kind"] == "nag"
        values = {"momentum": momentum, "dampening": 0.0}
        yield everywhere(
            "momentum",
            have,
            {**values, "nesterov": first.get("nesterov", False) and momentum > 0},
            f"momentum {first['momentum']:g}, dampening {first.get('dampening', 0):g}",
            f"momentum={momentum:g}, dampening=0",
            14,
        )
        if bool(first.get("nesterov")) != nesterov:
            yield everywhere(
                "optimizer kind",
                have,
                {**values, "nesterov": nesterov},
                f"nesterov={not nesterov}",
                f"nesterov={nesterov}",
                15,
            )
    epsilon = theirs.get("epsilon", theirs.get("float_stable_eps"))
    if "eps" in first and epsilon is not None:
        for value in (epsilon, epsilon**0.5):
            yield everywhere(
                "optimizer epsilon",
                have,
                {"eps": value},
                f"eps={first['eps']:g}",
                f"eps={value:g}",
                TRAPS.get(mxnet["kind"]),
            )
    missing = sorted(set(names) - set(have))
    if missing:
        yield suppose(
            "frozen parameter",
            listed(missing),
            "the optimizer does not have it",
            f"give {listed(missing)} to the optimizer",
            {"change": "optimizer", "added": missing},
        )


def everywhere(cause: str, have: dict, values: dict, found: str, remedy: str, trap: Any) -> Hypothesis:
    """The same values for every parameter."""
    told = {"change": "optimizer", "values": dict.fromkeys(have, values)}
    return suppose(
        cause, "torch_optimizer", f"torch's optimizer has {found}, MXNet's other values", remedy, told, trap=trap
    )


def decay(mxnet: dict, have: dict, names: dict[str, str]) -> Iterator[Hypothesis]:
    """MXNet's decay of each parameter, where it differs in biases (arrays of one axis) only, or weights only."""
    wanted = {name: mxnet["decays"].get(names[name], 0.0) for name in have if name in names}
    differ = sorted(name for name, value in wanted.items() if abs(have[name].get("weight_decay", 0.0) - value) > 1e-9)
    if not differ or len(differ) == len(wanted):
        return
    few = {name: {"weight_decay": value} for name, value in wanted.items()}
    now, then = have[differ[0]].get("weight_decay", 0.0), wanted[differ[0]]
    found = f"weight decay {now:g} of {listed(differ)} where MXNet has {then:g}"
    remedy = f"weight_decay={then:g} for {listed(differ)}, in a group of their own"
    yield suppose(
        "weight decay on biases", listed(differ), found, remedy, {"change": "optimizer", "values": few}, trap=17
    )


def rules(stages: Stages, mxnet: dict, torch: dict, names: dict[str, str], alike: bool) -> Iterator[Hypothesis]:
    """MXNet's rule of update: with all its settings, named by what differs."""
    rule = {
        "change": "rule",
        "kind": mxnet["kind"],
        "settings": mxnet["settings"],
        "rates": mxnet["rates"],
        "rescale": mxnet["rescale"],
        "decays": {name: mxnet["decays"].get(theirs, 0.0) for name, theirs in names.items()},
        "scale": {name: mxnet["scale"].get(theirs, 1.0) for name, theirs in names.items()},
    }
    kind, ours = mxnet["kind"], torch["class"]
    if not alike:
        found = f"{ours} where MXNet has {kind}"
        yield suppose(
            "optimizer kind", "torch_optimizer", found, f"use torch's counterpart of {kind}", rule, trap=TRAPS.get(kind)
        )
        return
    cause = next(aspects(stages, mxnet, torch, rule["decays"]), None)
    if cause is not None:
        found = f"{ours} does not update as MXNet's {kind}: {cause}"
        remedy = REMEDIES.get(cause) or placed_epsilon(kind, mxnet["settings"])
        yield suppose(cause, "torch_optimizer", found, remedy, rule, trap=TRAPS.get(kind))


REMEDIES = {
    "learning rate": "give every update MXNet's learning rate",
    "momentum": "hold the learning rate in the buffer: buffer = momentum * buffer - lr * gradient; p += buffer",
}


def placed_epsilon(kind: str, settings: dict) -> str:
    """How to have epsilon where MXNet's rule has it.

    MXNet's Adam adds it to sqrt(v) before v is corrected for its bias, torch after: torch's is MXNet's divided by
    sqrt(1 - beta2^t). The others have it under the root, and no value of torch's does the same.
    """
    epsilon = settings.get("epsilon", settings.get("float_stable_eps", 0.0))
    if kind == "adam":
        value = f"{epsilon:g} / (1 - {settings.get('beta2', 0.999):g} ** t) ** 0.5"
        return f"before update t = 1, 2, ...: for group in optimizer.param_groups: group['eps'] = {value}"
    root = f"p -= lr * gradient / (average + {epsilon:g}).sqrt()"
    return f"write a step with epsilon under the root, where MXNet has it: {root}"


def aspects(stages: Stages, mxnet: dict, torch: dict, decays: dict[str, float]) -> Iterator[str]:
    """What a rule of the same kind may differ in."""
    first = next(iter(torch["settings"].values()), {})
    try:
        rates = stages.pair.torch.call("rates", gradients=[stages.to_torch_gradients(g) for g in stages.gradients[:2]])
    except CrossfwError:
        rates = []
    if any(abs(a - b) > 1e-9 * abs(b) for a, b in zip(rates, mxnet["rates"])):
        yield "learning rate"
    if any(
        abs(held.get("weight_decay", 0.0) - decays.get(name, 0.0)) > 1e-9 for name, held in torch["settings"].items()
    ):
        return  # a decay that differs has no name of its own
    if mxnet["kind"] in ("sgd", "nag"):
        yield "momentum"
    elif same_settings(mxnet["settings"], first):
        yield "optimizer epsilon"


def same_settings(mxnet: dict, torch: dict) -> bool:
    """Whether all that is no epsilon is the same, and nothing unusual is switched on."""
    betas = torch.get("betas", [mxnet.get("beta1"), mxnet.get("beta2")])
    pairs = [
        (betas[0], mxnet.get("beta1")),
        (betas[1], mxnet.get("beta2")),
        (torch.get("alpha"), mxnet.get("gamma1")),
        (torch.get("rho"), mxnet.get("rho")),
    ]
    unusual = any(
        torch.get(name) for name in ("centered", "amsgrad", "lr_decay", "initial_accumulator_value", "weight_decay")
    )
    return not unusual and all(a is None or b is None or abs(a - b) < 1e-9 for a, b in pairs)
