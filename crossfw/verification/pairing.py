"""Which calls of the two sides correspond: by the mapping, by what containers hold, by kind and order in between."""

from __future__ import annotations

from typing import Any

from crossfw.matching.match import Mapping

FAMILIES = (
    (
        "activation",
        (
            "activation",
            "relu",
            "elu",
            "selu",
            "gelu",
            "swish",
            "silu",
            "sigmoid",
            "tanh",
            "softmax",
            "softplus",
            "softsign",
            "softrelu",
            "mish",
            "prelu",
            "hardswish",
        ),
    ),
    ("pool", ("pool",)),
    ("dropout", ("dropout",)),
    ("flatten", ("flatten",)),
    ("pad", ("pad",)),
    ("norm", ("norm",)),
    ("convolution", ("conv",)),
    ("recurrent", ("lstm", "gru", "rnn")),
)


def family(kind: str) -> str:
    """What a class is, by its name: "activation", "pool", ..., or "" for any other."""
    lower = kind.lower()
    return next((name for name, words in FAMILIES if any(word in lower for word in words)), "")


def pair_calls(mapping: Mapping, mxnet: list[dict], torch: list[dict]) -> list[tuple[dict, dict]]:
    """(MXNet's call, torch's call), in torch's order of ends."""
    partner = {**containers(mapping, mxnet, torch), **layers(mapping)}
    pairs = occurrences(partner, mxnet, torch)
    pairs += between(pairs, mxnet, torch)
    return sorted(pairs, key=lambda pair: pair[1]["number"])


def layers(mapping: Mapping) -> dict[str, str]:
    """MXNet's path by torch's, of layers with parameters that have one partner each."""
    forth: dict[str, set] = {}
    back: dict[str, set] = {}
    for pair in mapping.pairs:
        forth.setdefault(pair.torch.layer, set()).add(pair.mxnet.layer)
        back.setdefault(pair.mxnet.layer, set()).add(pair.torch.layer)
    return {t: next(iter(m)) for t, m in forth.items() if len(m) == 1 and len(back[next(iter(m))]) == 1}


def containers(mapping: Mapping, mxnet: list[dict], torch: list[dict]) -> dict[str, str]:
    """MXNet's path by torch's, of containers that hold the same matched layers; of nested ones outer by outer."""
    matched = layers(mapping)
    theirs = grouped([call["path"] for call in mxnet], {m: m for m in matched.values()})
    ours = grouped([call["path"] for call in torch], matched)
    found = {"": ""}
    for held, paths in ours.items():
        partners = theirs.get(held, [])
        if len(held) > 1 or "" in held or any(path not in matched for path in paths):
            found.update(zip(paths, partners))
    return {**found, "": ""}


def grouped(paths: list[str], matched: dict[str, str]) -> dict[frozenset, list[str]]:
    """Paths of containers by the matched layers below them (as MXNet's paths), the outer ones first; not the model."""
    found: dict[frozenset, list[str]] = {}
    for path in sorted(set(paths) - {""} - set(matched), key=lambda path: path.count(".")):
        held = frozenset(m for t, m in matched.items() if t.startswith(path + "."))
        if held:
            found.setdefault(held, []).append(path)
    return found


def occurrences(partner: dict[str, str], mxnet: list[dict], torch: list[dict]) -> list[tuple[dict, dict]]:
    """Calls of paths that are partners, the first with the first."""
    theirs: dict[str, list[dict]] = {}
    for call in mxnet:
        theirs.setdefault(call["path"], []).append(call)
    counts: dict[str, int] = {}
    pairs = []
    for call in torch:
        path, index = partner.get(call["path"]), counts.get(call["path"], 0)
        if path is not None and index < len(theirs.get(path, ())):
            counts[call["path"]] = index + 1
            pairs.append((theirs[path][index], call))
    return pairs


def between(pairs: list[tuple[dict, dict]], mxnet: list[dict], torch: list[dict]) -> list[tuple[dict, dict]]:
    """Calls of layers without parameters, between calls that are paired: by family and order of beginning."""
    anchors = sorted(pairs, key=lambda pair: pair[1]["start"])
    used = {"mxnet": {m["number"] for m, _ in pairs}, "torch": {t["number"] for _, t in pairs}}
    left = {
        name: [
            c for c in sorted(calls, key=lambda c: c["start"]) if c["number"] not in used[name] and family(c["kind"])
        ]
        for name, calls in (("mxnet", mxnet), ("torch", torch))
    }
    found, taken = [], set()
    ends = [(-1, -1), *((m["start"], t["start"]) for m, t in anchors), (10**9, 10**9)]
    for (m_low, t_low), (m_high, t_high) in zip(ends, ends[1:]):
        rest = [c for c in left["mxnet"] if m_low < c["start"] < m_high]
        for call in (c for c in left["torch"] if t_low < c["start"] < t_high):
            same = [c for c in rest if family(c["kind"]) == family(call["kind"]) and c["number"] not in taken]
            if same:
                taken.add(same[0]["number"])
                rest = [c for c in rest if c["start"] > same[0]["start"]]
                found.append((same[0], call))
    return found


def inner_activation(calls: list[dict], call: dict) -> Any:
    """The activation that an MXNet layer runs at its end, as `Dense(activation=...)` does; None without one."""
    path = call["path"]
    inside = [
        c
        for c in calls
        if c["depth"] == call["depth"] + 1 and c["number"] < call["number"] and c["start"] > call["start"]
    ]
    if (
        inside
        and family(inside[-1]["kind"]) == "activation"
        and inside[-1]["path"].startswith(f"{path}." if path else "")
    ):
        return inside[-1]
    return None
