"""A gated recurrent unit from raw arrays, reset before the product, one bias per gate; clipping of the norm."""

THRESHOLD = 0.03125
SHAPES = {f"{kind}{gate}": shape for gate in "zrh" for kind, shape in (("W_x", (5, 6)), ("W_h", (6, 6)), ("b_", (6,)))}
SHAPES.update(W_q=(6, 5), b_q=(5,))


def mxnet_model():
    from mxnet import gluon, nd

    class Model(gluon.Block):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                for name, shape in SHAPES.items():
                    setattr(self, name, self.params.get(name, shape=shape))

        def forward(self, x):
            p = {name: getattr(self, name).data() for name in SHAPES}
            h = nd.zeros((x.shape[1], 6), dtype=x.dtype)
            outputs = []
            for step in x:
                z = nd.sigmoid(nd.dot(step, p["W_xz"]) + nd.dot(h, p["W_hz"]) + p["b_z"])
                r = nd.sigmoid(nd.dot(step, p["W_xr"]) + nd.dot(h, p["W_hr"]) + p["b_r"])
                candidate = nd.tanh(nd.dot(step, p["W_xh"]) + nd.dot(r * h, p["W_hh"]) + p["b_h"])
                h = z * h + (1 - z) * candidate
                outputs.append(nd.dot(h, p["W_q"]) + p["b_q"])
            return nd.stack(*outputs)

    return Model()


def torch_model():
    import torch
    from torch import nn

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            for name, shape in SHAPES.items():
                self.register_parameter(name, nn.Parameter(torch.randn(shape) / 4))

        def gate(self, name, x, h):
            p = self._parameters
            return x @ p[f"W_x{name}"] + h @ p[f"W_h{name}"] + p[f"b_{name}"]

        def candidate(self, x, h, r):
            return torch.tanh(self.gate("h", x, r * h))

        def step(self, x, h):
            z, r = torch.sigmoid(self.gate("z", x, h)), torch.sigmoid(self.gate("r", x, h))
            return z * h + (1 - z) * self.candidate(x, h, r)

        def forward(self, x):
            h = x.new_zeros(x.shape[1], 6)
            outputs = []
            for step in x:
                h = self.step(step, h)
                outputs.append(h @ self.W_q + self.b_q)
            return torch.stack(outputs)

    return Model()


def inputs(rng):
    return rng.standard_normal((5, 3, 5))  # (steps, sequences, features)


def targets(rng):
    return rng.integers(0, 5, (5, 3))


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.SoftmaxCrossEntropyLoss()(output.reshape((-3, 0)), targets.reshape((-1,)))


def torch_loss(output, targets):
    from torch.nn.functional import cross_entropy

    return cross_entropy(output.flatten(0, 1), targets.flatten())


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 1.0})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=1.0)


def mxnet_clip(model):
    from mxnet import nd

    gradients = [p.grad() for p in model.collect_params().values()]
    norm = nd.sqrt(nd.add_n(*[(g * g).sum() for g in gradients]))
    for gradient in gradients:
        gradient *= nd.minimum(THRESHOLD / norm, nd.ones_like(norm))


def torch_clip(model):
    gradients = [p.grad for p in model.parameters()]
    norm = sum((g * g).sum() for g in gradients) ** 0.5
    for gradient in gradients:
        gradient *= (THRESHOLD / norm).clamp(max=1.0)
