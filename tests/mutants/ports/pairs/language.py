"""A language model whose decoder is its embedding; momentum, and a rate of learning that halves with every update."""


def mxnet_model():
    from mxnet import gluon

    class Language(gluon.nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.embedding = gluon.nn.Embedding(12, 6)
                self.rnn = gluon.rnn.RNN(6, activation="tanh")
                self.dropout = gluon.nn.Dropout(0.5)
                self.decoder = gluon.nn.Dense(12, flatten=False, params=self.embedding.params)

        def hybrid_forward(self, F, words):
            return self.decoder(self.dropout(self.rnn(self.embedding(words))))

    return Language()


def torch_model():
    from torch import nn

    class Language(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(12, 6)
            self.rnn = nn.RNN(6, 6)
            self.dropout = nn.Dropout(0.5)
            self.decoder = nn.Linear(6, 12)
            self.decoder.weight = self.embedding.weight

        def forward(self, words):
            outputs, _ = self.rnn(self.embedding(words))
            return self.decoder(self.dropout(outputs))

    return Language()


def inputs(rng):
    return rng.integers(0, 12, (5, 4))  # (steps, sequences)


def targets(rng):
    return rng.integers(0, 12, (5, 4))


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.SoftmaxCrossEntropyLoss()(output.reshape((-3, 0)), targets.reshape((-1,)))


def torch_loss(output, targets):
    from torch.nn.functional import cross_entropy

    return cross_entropy(output.flatten(0, 1), targets.flatten())


def mxnet_optimizer(model):
    from mxnet import gluon, lr_scheduler

    class Halving(lr_scheduler.LRScheduler):
        def __call__(self, update):
            return 0.5 ** (update - 1)

    settings = {"learning_rate": 1.0, "momentum": 0.75, "lr_scheduler": Halving(1.0)}
    return gluon.Trainer(model.collect_params(), "sgd", settings)


def torch_optimizer(model):
    import torch

    class Halving(torch.optim.Optimizer):
        """Momentum as MXNet has it, with the rate in its buffer; the rate halves with every update."""

        @torch.no_grad()
        def step(self):
            for group in self.param_groups:
                for p in (p for p in group["params"] if p.grad is not None):
                    state = self.state[p]
                    state["moved"] = group["momentum"] * state.get("moved", 0) - group["lr"] * p.grad
                    p += state["moved"]
                group["lr"] /= 2

    return Halving(model.parameters(), {"lr": 1.0, "momentum": 0.75})
