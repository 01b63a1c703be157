"""What d2l does with a whole model: Trainer.fit, clipping, prediction; on small stand-ins for trained models."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from audits.d2l.boxes import alike
from audits.d2l.case import AuditCase, Computation, Known

WIDTH, CLASSES, BATCH, RATE = 6, 3, 4, 0.125


def _training(rng: Any) -> dict:
    return {
        "X": rng.standard_normal((4, BATCH, WIDTH)),
        "y": rng.integers(0, CLASSES, (4, BATCH)),
        "weight": rng.standard_normal((CLASSES, WIDTH)),
        "bias": rng.standard_normal(CLASSES),
    }


def _fit(d2l: Any, model: Any, a: dict) -> None:
    """Two epochs of the four batches in their order, clipped, with nothing drawn."""
    model.board.display = False
    batches = list(zip(a["X"], a["y"]))
    data = SimpleNamespace(train_dataloader=lambda: batches, val_dataloader=lambda: batches[:2])
    d2l.Trainer(max_epochs=2, gradient_clip_val=0.25).fit(model, data)


def _mxnet_fit(d2l: Any, a: dict) -> Any:
    model = d2l.SoftmaxRegression(CLASSES, RATE)
    model(a["X"][0].astype("float32"))
    model.cast(a["X"].dtype)
    model.net.weight.set_data(a["weight"])
    model.net.bias.set_data(a["bias"])
    _fit(d2l, model, a)
    return [model.net.weight.data(), model.net.bias.data()]


def _torch_fit(d2l: Any, a: dict) -> Any:
    model = d2l.SoftmaxRegression(CLASSES, RATE).to(a["X"].dtype)
    model(a["X"][0])
    model.net[1].weight.data.copy_(a["weight"])
    model.net[1].bias.data.copy_(a["bias"])
    _fit(d2l, model, a)
    return [parameter.detach() for parameter in model.parameters()]


def _images(rng: Any) -> dict:
    return {"X": rng.standard_normal((2, 3, 4, 4))}


def _mxnet_clip(function: str) -> Any:
    def call(d2l: Any, a: dict) -> Any:
        model = d2l.Residual(3)
        model.initialize()
        with d2l.autograd.record():
            loss = model(a["X"]).sum()
        loss.backward()
        return _clip(d2l, function, model, lambda: model.collect_params())

    return call


def _torch_clip(function: str) -> Any:
    def call(d2l: Any, a: dict) -> Any:
        model = d2l.Residual(3)
        model(a["X"]).sum().backward()
        return _clip(d2l, function, model, model.parameters)

    return call


def _clip(d2l: Any, function: str, model: Any, parameters: Any) -> str:
    """`clipped` if d2l's function goes through with the model's gradients."""
    if function == "grad_clipping":
        d2l.grad_clipping(model, 0.25)
    else:
        model.parameters = parameters
        d2l.Trainer(max_epochs=1).clip_gradients(0.25, model)
    return "clipped"


def _clipping(definition: str, function: str, lines: str) -> AuditCase:
    return AuditCase(
        f"{definition} (clipping a model with BatchNorm)",
        computation=Computation(_images, _mxnet_clip(function), _torch_clip(function), "float32"),
        known=Known(
            "outputs",
            "MXNet's squares the gradient of every Parameter, and running statistics have none: TypeError; torch's "
            f"leaves out what needs no gradient ({lines})",
        ),
    )


class _Reader:
    """A net for `predict_seq2seq`: decodes given scores step by step, whatever it reads.

    Args:
        scores: (steps, V) of one framework.
    """

    def __init__(self, scores: Any):
        self.scores, self.decoder, self.encoder = scores, self, lambda X, lengths: X
        self.attention_weights = None

    def eval(self) -> None:
        """As a torch module."""

    def init_state(self, outputs: Any, lengths: Any) -> int:
        return 0

    def __call__(self, X: Any, state: int) -> tuple:
        return self.scores[state].reshape(1, 1, -1), state + 1


def _predict_seq2seq(d2l: Any, a: dict) -> Any:
    vocab = d2l.Vocab(["a", "b", "c"], reserved_tokens=["<pad>", "<bos>", "<eos>"])
    return d2l.predict_seq2seq(_Reader(a["scores"]), "A b", vocab, vocab, 5, d2l.cpu())[0]


def _decoded(rng: Any) -> dict:
    scores = rng.standard_normal((5, 7))
    scores[np.arange(5), [4, 5, 6, 1, 4]] += 10
    return {"scores": scores}


def _net(scores: Any) -> Any:
    net = lambda X: scores  # noqa: E731
    net.eval = lambda: None
    return net


def _classified(rng: Any) -> dict:
    return {"scores": rng.standard_normal((1, 3)), "other": rng.standard_normal((1, 3))}


def _sentiment(d2l: Any, a: dict) -> Any:
    vocab = d2l.Vocab(["so", "great"])
    return [d2l.predict_sentiment(_net(a[name]), vocab, "so great") for name in ("scores", "other")]


def _entailment(d2l: Any, a: dict) -> Any:
    vocab = d2l.Vocab(["he", "is", "good"])
    return [d2l.predict_snli(_net(a[name]), vocab, ["he", "is"], ["good"]) for name in ("scores", "other")]


CASES = (
    AuditCase(
        "Trainer",
        computation=Computation(_training, _mxnet_fit, _torch_fit),
        note="fit of a SoftmaxRegression from equal weights, two epochs of batches in a fixed order, clipped at 0.25",
    ),
    _clipping("Trainer", "clip_gradients", "mxnet.py:355-356, torch.py:337"),
    _clipping("grad_clipping", "grad_clipping", "mxnet.py:2977, torch.py:3280"),
    AuditCase("predict_seq2seq", computation=alike(_decoded, _predict_seq2seq)),
    AuditCase("predict_sentiment", computation=alike(_classified, _sentiment)),
    AuditCase("predict_snli", computation=alike(_classified, _entailment)),
)
