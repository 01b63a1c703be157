"""Results made up for the tests: every case that a report must show well."""

from __future__ import annotations

import math

import numpy as np

from crossfw.results.schema import (
    AgreementRow,
    Learning,
    Results,
    TaskResult,
)
from crossfw.results.schema_sweep import Sweep, SweepRatio
from crossfw.throughput import sweep as scaling

FOUR = ("mxnet-scratch", "mxnet-gluon", "torch-scratch", "torch-nn")
STAGES = {
    "parameters": ("W_xh", "W_hh", "b_h", "W_hq", "b_q"),
    "forward": ("hidden", "logits"),
    "loss": ("loss",),
    "gradients": ("W_xh", "W_hh", "b_h", "W_hq", "b_q"),
    "clipping": ("norm", "W_xh", "W_hh"),
    "update": ("W_xh", "W_hh", "b_h", "W_hq", "b_q"),
}


def results(*tasks: TaskResult) -> Results:
    return {
        "schema": 1,
        "crossfw": "0.1.0",
        "created": "2024-05-17T09:30:00+00:00",
        "command": ["crossfw", "run", "--suite", "quick"],
        "environment": {
            "machine": {"system": "Linux 6.1", "processor": "x86-64, 2 cores", "memory_gb": 7.8},
            "threads": 2,
            "implementations": {
                name: {
                    "python": "3.11.9",
                    "numpy": "1.23.5",
                    name.split("-")[0]: "1.9.1" if name.startswith("mxnet") else "2.13.0+cpu",
                    "threads": 2,
                    "thread_pools": {"openblas": 2, "openmp": 2},
                }
                for name in FOUR
            },
        },
        "suite": "quick",
        "tasks": list(tasks),
    }


def blank(name: str, **changes) -> TaskResult:
    """A task without a single row."""
    task: TaskResult = {
        "task": name,
        "verdict": "incomplete",
        "agreement": [],
        "perplexity": [],
        "throughput": [],
        "published": [],
        "failures": [],
        "title": f"Task {name}",
        "setup": {"hidden_size": 256, "batch_size": 32, "clip": None},
        "description": "A model, its data and its recipe.",
        "reason": "nothing was compared",
        "first_divergence": [],
        "learning": None,
        "causality": [],
        "floor": None,
        "measures": [],
        "samples": [],
        "notes": [],
        "sweeps": [],
        "warnings": [],
        "measurement": None,
    }
    return {**task, **changes}


def compared(implementation: str, stage: str, tensor: str, error: float, **changes) -> AgreementRow:
    row: AgreementRow = {
        "implementation": implementation,
        "against": "numpy",
        "stage": stage,
        "tensor": tensor,
        "dtype": "float64",
        "error": error,
        "bound": 1e-12,
        "grade": "equal",
        "factor": None,
    }
    return {**row, **changes}


def agreement(implementations=FOUR, stages=STAGES) -> list[AgreementRow]:
    random, rows = np.random.default_rng(0), []
    for stage, tensors in {"self-agreement": ("logits",), **stages}.items():
        for tensor in tensors:
            for name in implementations:
                exact = stage in ("self-agreement", "parameters")
                against = name if stage == "self-agreement" else "numpy"
                double = 0.0 if exact else float(10 ** random.uniform(-16, -14))
                single = 0.0 if exact else float(10 ** random.uniform(-8, -6.3))
                rows.append(compared(name, stage, tensor, double, against=against))
                extra = {} if exact else {"factor": 1.2}
                rows.append(
                    compared(name, stage, tensor, single, against=against, dtype="float32", bound=5e-6, **extra)
                )
    return rows


def curves(implementations=FOUR, seeds=(0,), epochs=60, floor=1.05, apart=0.0, validation=True) -> list[dict]:
    """Curves that fall to `floor`; from the middle on they leave each other by chaos, and the last by `apart`."""
    random, rows = np.random.default_rng(1), []
    for seed in seeds:
        rate = 0.06 * 60 / epochs * (1 + 0.1 * seed)
        for name in implementations:
            for perturbed in (False, True):
                for epoch in range(1, epochs + 1):
                    chaos = min(0.03, 1e-13 * math.exp(0.6 * epoch * 60 / epochs)) * random.normal()
                    shift = 1 + (apart if name == implementations[-1] else 0.0)
                    value = shift * (floor + 24 * math.exp(-rate * epoch)) * math.exp(chaos)
                    point = {
                        "implementation": name,
                        "seed": seed,
                        "epoch": epoch,
                        "dtype": "float32",
                        "perturbed": perturbed,
                    }
                    loss = math.log(value)
                    rows.append({**point, "split": "training", "perplexity": value, "loss": loss})
                    if validation and epoch % 5 == 0:
                        value = value * 1.4 + 0.004 * epoch
                        rows.append({**point, "split": "validation", "perplexity": value, "loss": math.log(value)})
    return rows


def learning(verdict="same", implementations=FOUR, horizon=31, epochs=60, apart=0.0) -> Learning:
    trajectory = []
    for index, name in enumerate(implementations):
        for epoch in range(1, epochs + 1):
            noise = min(0.03, 2e-16 * math.exp(0.55 * epoch))
            gap = max(noise * (0.3 + 0.15 * index), apart if name == implementations[-1] else 0.0)
            row = {"implementation": name, "against": "numpy", "epoch": epoch, "gap": 0.0 if epoch == 1 else gap}
            trajectory.append({**row, "floor": noise, "bound": 1e-8})
    tests = [
        {
            "implementation": f"torch-{kind}",
            "against": f"mxnet-{other}",
            "ratio": 1.004,
            "low": 0.991,
            "high": 1.017,
            "margin": 0.05,
            "p_value": 2e-4,
            "equivalent": verdict == "same",
        }
        for kind, other in (("scratch", "scratch"), ("nn", "gluon"))
    ]
    text = {
        "same": f"the curves coincide up to epoch {horizon}; beyond it, final perplexities are equivalent within 5 %",
        "different": "the curves part at epoch 2, long before noise can",
        "not tested": "one seed is no test",
    }[verdict]
    return {
        "verdict": verdict,
        "text": text,
        "horizon": horizon,
        "updates": 30 * (horizon or 0),
        "epochs": epochs,
        "trajectory": trajectory,
        "equivalence": tests if verdict != "not tested" else [],
    }


def throughput(scale=1.0, control_low=0.98) -> list[dict]:
    speeds = {"mxnet-scratch": 6.9e3, "torch-scratch": 28.3e3, "mxnet-gluon": 61e3, "torch-nn": 116e3}
    rows = []
    for mode, factor in (("train", scale), ("infer", 3.1 * scale)):
        for name, speed in speeds.items():
            other = {"torch-scratch": "mxnet-scratch", "torch-nn": "mxnet-gluon"}.get(name)
            ratio = speed / speeds[other] if other else None
            if other and mode == "infer" and name == "torch-nn":
                ratio = 1.02
            rows.append(
                {
                    "implementation": name,
                    "mode": mode,
                    "tokens_per_second": speed * factor,
                    "low": speed * factor * 0.95,
                    "high": speed * factor * 1.04,
                    "samples": [speed * factor * k for k in (0.97, 1.0, 1.03)],
                    "ratio_to": other,
                    "ratio": ratio,
                    "ratio_low": ratio and ratio * 0.95,
                    "ratio_high": ratio and ratio * 1.06,
                    "limit_fraction": speed / 4e5,
                    "peak_memory_bytes": int(speed * 900),
                    "limit_by": "bytes" if name == "torch-nn" else "operations",
                    "outliers": 1 if name == "mxnet-gluon" else 0,
                    "first_step_seconds": 0.12 if mode == "train" else 0.0031,
                    "build_seconds": 0.0088,
                    "memory_per_step_bytes": 131072.0,
                }
            )
        rows.append(
            {
                "implementation": "torch-nn",
                "mode": mode,
                "tokens_per_second": 115e3 * factor,
                "low": 112e3 * factor,
                "high": 119e3 * factor,
                "samples": [115e3 * factor] * 3,
                "ratio_to": "torch-nn",
                "ratio": 1.01,
                "ratio_low": control_low,
                "ratio_high": 1.03,
                "limit_fraction": None,
                "peak_memory_bytes": None,
                "limit_by": None,
                "outliers": 0,
                "first_step_seconds": 0.1,
                "build_seconds": None,
                "memory_per_step_bytes": None,
            }
        )
    return rows


def measurement(**changes) -> dict:
    small = {
        "mxnet-scratch": 41e3,
        "mxnet-gluon": 41e3,
        "torch-scratch": 28e3,
        "torch-nn": 28e3,
        "torch-nn (A/A)": 28e3,
    }
    modes = {
        "train": {
            "rounds": 24,
            "precise": True,
            "operations": 133324800.0,
            "bytes": 2542984.0,
            "small_products": small,
        },
        "infer": {"rounds": 7, "precise": False, "operations": 44441600.0, "bytes": 1491564.0, "small_products": small},
    }
    return {
        "budget_seconds": 1.2,
        "width": 0.05,
        "threads": 2,
        "cpus": [0, 1],
        "read_back": {name: {"threads": 2, "thread_pools": {}, "cpus": [0, 1], "variables": {}} for name in FOUR},
        "modes": modes,
        "rates": {
            "mxnet": {"operations": 151e9, "bytes": 19.7e9, "size": 1024},
            "torch": {"operations": 278e9, "bytes": 9.2e9, "size": 1024},
        },
        "steps_cells": [],
        "warnings": [],
        **changes,
    }


POWERS = {
    "mxnet-scratch": (4e-3, 0.3),
    "mxnet-gluon": (5e-4, 1.2),
    "torch-scratch": (9e-4, 0.8),
    "torch-nn": (8e-4, 0.9),
}


def sweep(setting="hidden", values=(64, 128, 256, 512), differing=()) -> Sweep:
    """Times that are powers of the value; `differing` implementations are another model at the last value."""
    points, ratios = [], []
    for value in values:
        times = {name: start * (value / values[0]) ** power for name, (start, power) in POWERS.items()}
        gone = differing if value == values[-1] else ()
        for name, seconds in times.items():
            tokens = 1120 * (value if setting in ("batch", "steps") else 1)
            samples = [] if name in gone else [tokens / seconds * wobble for wobble in (0.95, 0.98, 1.0, 1.02, 1.05)]
            seen = scaling.point(setting, value, name, samples, tokens)
            error, reason = (0.3, "not the same model: gradients, W_hh") if name in gone else (7e-16, "")
            points.append({**seen, "error": error, "bound": 1.6e-13, "reason": reason})
        for name, other in scaling.pairs([name for name in times if name not in gone]):
            ratio = times[other] / times[name]
            row = {"setting": setting, "value": value, "implementation": name, "against": other}
            ratios.append(SweepRatio(**row, ratio=ratio, low=ratio / 1.06, high=ratio * 1.06))
    return Sweep(
        setting=setting,
        values=list(values),
        exponents=scaling.exponents(points),
        points=points,
        ratios=ratios,
        overtakings=scaling.overtakings(ratios),
    )


def swept(name="lm_swept", **changes) -> TaskResult:
    """Two settings swept, of which one implementation is another model at the largest value of the second."""
    return agreeing(name, **{"sweeps": [sweep(), sweep("batch", (1, 8, 32), ("torch-nn",))], **changes})


def causality(implementations=FOUR, blind=()) -> list[dict]:
    return [
        {"implementation": name, "causal": name not in blind, "change": 0.31 if name in blind else 0.0}
        for name in implementations
    ]


def agreeing(name="lm_rnn", **changes) -> TaskResult:
    """All four agree, learn the same, and were timed."""
    samples = [
        {
            "implementation": each,
            "prefix": "time traveller",
            "expected": "",
            "decoding": "greedy",
            "text": "time traveller for so it will be convenient to speak of him was expounding a recondite matter",
        }
        for each in FOUR
    ]
    samples += [
        {"implementation": each, "prefix": "time traveller", "expected": "", "decoding": "sampled", "text": text}
        for each, text in zip(
            FOUR,
            [
                "time traveller <unk> held in his hand",
                "time traveller smiled round at us",
                "time traveller smiled round at us",
                "time traveller proceeded anyhow",
            ],
        )
    ]
    published = [
        {
            "quantity": "training perplexity, epoch 500",
            "framework": "MXNet",
            "published": 1.2,
            "measured": 1.19,
            "source": "d2l-ai/d2l-zh-colab, median of 21 builds",
            "implementation": "mxnet-gluon",
            "verdict": "reproduced; 3 seeds from 1.17 to 1.21, 2 of them below the published run",
            "mxnet_measured": 1.19,
            "torch_measured": 1.18,
        },
        {
            "quantity": "tokens per second",
            "framework": "PyTorch",
            "published": 294000.0,
            "measured": None,
            "source": "https://github.com/d2l-ai/d2l-zh-pytorch-slides",
            "implementation": "torch-nn",
            "verdict": "another machine",
            "mxnet_measured": 61e3,
            "torch_measured": None,
        },
    ]
    return blank(
        name,
        **{
            "verdict": "agree",
            "title": "Recurrent language model",
            "setup": {"hidden_size": 256, "batch_size": 32, "clip": None},
            "description": "One tanh layer of 256 units over characters of the Time Machine; batches of 32 by 35, "
            "SGD with learning rate 1, gradients clipped at 1.",
            "reason": "every stage agrees in float64",
            "agreement": agreement(),
            "perplexity": curves(),
            "throughput": throughput(),
            "measurement": measurement(),
            "published": published,
            "learning": learning(),
            "causality": causality(),
            "floor": 1.03,
            "samples": samples,
            "notes": [
                {
                    "implementation": "mxnet-gluon",
                    "note": "gluon.rnn.RNN was given activation='tanh'; its default is relu.",
                }
            ],
            **changes,
        },
    )


def disagreeing(name="lm_gru") -> TaskResult:
    """torch-nn is another model; its float32 rows and NaN stand for whatever else can go wrong."""
    rows = agreement()
    for row in rows:
        if row["implementation"] == "torch-nn" and row["stage"] not in ("self-agreement", "parameters"):
            error = math.nan if row["tensor"] == "norm" else math.inf if row["tensor"] == "b_h" else 0.93
            row.update(error=error, grade="different")
        elif row["implementation"] == "mxnet-gluon" and row["stage"] == "gradients" and row["dtype"] == "float32":
            row.update(grade="less accurate", factor=3.1, error=2e-5)
    first = [row for row in rows if row["implementation"] == "torch-nn" and row["tensor"] == "hidden"][:1]
    return agreeing(
        name,
        verdict="disagree",
        title="Gated recurrent unit",
        agreement=rows,
        first_divergence=first,
        reason="torch-nn differs from numpy at stage forward, tensor hidden",
        perplexity=curves(apart=0.4),
        learning=learning("different", apart=0.1),
        throughput=throughput(2.0, control_low=1.004),
        causality=causality(blind=("torch-nn",)),
        floor=None,
        samples=[],
        warnings=["The A/A control's interval leaves 1 in training: a ratio below 1.03 means nothing on this machine."],
        failures=[{"implementation": "torch-nn", "stage": "trajectory", "reason": "killed by signal 9 after 31 s"}],
    )


def incomplete(name="nmt_fra") -> TaskResult:
    """The corpus is missing."""
    reason = "skipped: corpus fra-eng is not here; give its folder with --data-dir or allow the download"
    return blank(
        name,
        title="Sequence to sequence",
        reason=reason,
        failures=[{"implementation": "", "stage": "data", "reason": reason}],
    )


def worked_example(name="bptt_by_hand") -> TaskResult:
    """Nothing is trained or timed."""
    return blank(
        name,
        verdict="agree",
        title="Back-propagation by hand",
        reason="agrees",
        agreement=agreement(("torch-scratch",), {"forward": ("a", "y"), "gradients": ("W_aa", "W_ax")}),
        published=[
            {
                "quantity": f"{letter}_{step} (relu)",
                "framework": "by hand",
                "published": 4.0,
                "measured": 4.0,
                "source": "S1, worked example of the simple recurrent network",
                "implementation": "torch-scratch",
                "verdict": "reproduced",
                "mxnet_measured": None,
                "torch_measured": None,
            }
            for letter in "yh"
            for step in (1, 2)
        ],
    )


def measures(values=(0.975, 0.5, 34.26, 0.00012345), seeds=(0,), implementations=FOUR) -> list[dict]:
    names = (
        "accuracy (test data)",
        "exact match (test data, beam of 3)",
        "BLEU (test data, greedy)",
        "distance of “bank”",
    )
    return [
        {"implementation": each, "seed": seed, "measure": name, "value": value * (1 + 0.01 * seed), "dtype": "float32"}
        for seed in seeds
        for each in implementations
        for name, value in zip(names, values)
    ]


def translated(prefix="he said ,", expected="il a dit ,", decoding="test data, beam of 3", texts=None) -> list[dict]:
    texts = texts or [expected, expected, "il dit ,", expected]
    return [
        {"implementation": each, "prefix": prefix, "expected": expected, "decoding": decoding, "text": text}
        for each, text in zip(FOUR, texts)
    ]


def translating(name="nmt_small", **changes) -> TaskResult:
    """No perplexity of validation data, no throughput, three seeds; examples with expectations."""
    samples = [*translated(), *translated("she left .", "elle partit .", texts=["elle partit ."] * 4)]
    rest = {
        "title": "Translation",
        "perplexity": curves(seeds=(0, 1, 2), epochs=8, validation=False),
        "throughput": [],
        "published": [],
        "floor": None,
        "samples": [*samples, *translated(decoding="test data, greedy")],
        "measures": measures(seeds=(0, 1, 2)),
    }
    return agreeing(name, **{**rest, **changes})


def five(name="lm_five") -> TaskResult:
    """Five trained implementations, three seeds, many tensors, a user's port among them."""
    names = ("numpy", *FOUR)
    stages = {
        stage: tuple(f"layers.{i}.weight_{part}" for i in range(4) for part in ("ih", "hh", "bias_ih", "bias_hh"))
        for stage in ("forward", "gradients", "update", "optimizer state")
    }
    return agreeing(
        name,
        title="Deep LSTM, three seeds",
        agreement=agreement((*FOUR, "port"), stages),
        perplexity=curves((*names, "port"), seeds=(0, 1, 2), epochs=200, floor=4.2),
        learning=learning(implementations=FOUR, epochs=60),
    )


def everything() -> Results:
    return results(swept("lm_rnn"), disagreeing(), five(), incomplete(), worked_example(), translating())
