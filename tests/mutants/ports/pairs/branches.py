"""Branches of equal shapes, built in another order than they run in, with other names; RMSProp with weight decay."""


def mxnet_model():
    from mxnet.gluon import nn

    class Branches(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.output = nn.Dense(6, in_units=6)
                self.left = nn.Dense(6, activation="tanh", in_units=6)
                self.right = nn.Dense(6, activation="sigmoid", in_units=6)
                self.dropout = nn.Dropout(0.25)
                self.scale = self.params.get("scale", shape=(6,), init="ones")

        def hybrid_forward(self, F, x, y, scale):
            return self.output(self.dropout(F.broadcast_mul(self.right(x), scale)) + 2 * self.left(y) + x)

    return Branches()


def torch_model():
    import torch
    from torch import nn

    class Branches(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(6, 6)
            self.second = nn.Linear(6, 6)
            self.dropout = nn.Dropout(0.25)
            self.gain = nn.Parameter(torch.ones(6))
            self.last = nn.Linear(6, 6)

        def forward(self, x, y):
            right = self.dropout(self.first(x).sigmoid() * self.gain)
            return self.last(right + 2 * self.second(y).tanh() + x)

    return Branches()


def inputs(rng):
    return {"x": rng.standard_normal((5, 6)), "y": rng.standard_normal((5, 6))}


def targets(rng):
    return rng.standard_normal((5, 6))


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.L2Loss()(output, targets)


def torch_loss(output, targets):
    return ((output - targets) ** 2).mean() / 2


def mxnet_optimizer(model):
    from mxnet import gluon

    settings = {"learning_rate": 0.03125, "gamma1": 0.75, "epsilon": 1e-30, "wd": 0.125}
    return gluon.Trainer(model.collect_params(), "rmsprop", settings)


def torch_optimizer(model):
    import torch

    return torch.optim.RMSprop(model.parameters(), lr=0.03125, alpha=0.75, eps=1e-30, weight_decay=0.125)
