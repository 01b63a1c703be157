"""The place of epsilon in an optimizer's step, which each framework has chosen for itself.

MXNet's Adam adds it to sqrt(v) before v is corrected for its bias, torch after: torch's is MXNet's divided by
sqrt(1 - beta2^t). RMSProp and AdaGrad have it under the root in MXNet, and no value of torch's does the same.
"""

from __future__ import annotations

from crossfw.verification.optimizer_settings import Optimizers, apart

GUARD = 1e-7  # the largest that only guards against a division by zero: what libraries have by default
TITLE = "the place of epsilon:"


def placed(told: Optimizers) -> dict | None:
    """The change that puts torch's epsilon where MXNet has its own; None unless both say the same epsilon."""
    if not told.known or not told.in_kinds or not told.mxnet["own"] or not told.first.get("eps"):
        return None
    if told.kind == "adamax":
        return {"change": "optimizer", "values": dict.fromkeys(told.have, {"eps": 0.0})}
    if told.epsilon is None or any(apart(eps, told.epsilon) for eps in stated(told)):
        return None
    if told.kind == "adam":
        return {"change": "optimizer", "epsilons": epsilons(told)}
    if told.torch["own"] and told.kind in ("rmsprop", "adagrad"):
        return told.rule({n: [s["lr"]] for n, s in told.have.items()})
    return None


def guards(told: Optimizers) -> bool:
    """Whether epsilon is too small to be more than a guard: then its place is no fault of a port."""
    return max(stated(told)) <= GUARD


def stated(told: Optimizers) -> list[float]:
    """Torch's epsilon of every parameter: groups may have others."""
    return [settings.get("eps", 0.0) for settings in told.have.values()]


def epsilons(told: Optimizers) -> list[float]:
    """Torch's epsilon at every update that does what MXNet's Adam does with its own."""
    count = max(4, len(told.mxnet["rates"]))
    return [told.epsilon / (1 - told.theirs["beta2"] ** t) ** 0.5 for t in range(1, count + 1)]


def placing(told: Optimizers) -> str:
    """How to have epsilon where MXNet's rule has it."""
    if told.kind == "adam":
        value = f"{told.epsilon:g} / (1 - {told.theirs.get('beta2', 0.999):g} ** t) ** 0.5"
        return f"before update t = 1, 2, ...: for group in optimizer.param_groups: group['eps'] = {value}"
    if told.kind == "adamax":
        return "give torch's Adamax an eps far below the gradients"
    root = f"p -= lr * gradient / (average + {told.epsilon:g}).sqrt()"
    return f"write a step with epsilon under the root, where MXNet has it: {root}"


def remark(told: Optimizers, worst: float) -> str:
    """What a verdict says where nothing but the place sets two steps apart, which are `worst` of themselves apart."""
    eps = told.first["eps"]
    theirs = {"adam": "adds its own before its averages are corrected", "adamax": "has none"}
    where = theirs.get(told.kind, "adds its own under the root")
    return (
        f"{TITLE} torch's {told.torch['class']} adds {eps:g} where MXNet's {told.kind} {where}. "
        f"That moves steps by up to {worst:.0e} of themselves here. To train as MXNet did, {placing(told)}"
    )
