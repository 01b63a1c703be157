"""A long short-term memory from raw arrays that hold all gates (input, forget, candidate, output)."""


def mxnet_model():
    from mxnet import gluon, nd

    class Model(gluon.Block):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.W_x = self.params.get("W_x", shape=(4, 24))
                self.W_h = self.params.get("W_h", shape=(6, 24))
                self.b = self.params.get("b", shape=(24,))
                self.output = gluon.nn.Dense(3, in_units=6)

        def forward(self, x):
            h = c = nd.zeros((x.shape[1], 6), dtype=x.dtype)
            for step in x:
                gates = nd.dot(step, self.W_x.data()) + nd.dot(h, self.W_h.data()) + self.b.data()
                i, f, g, o = nd.split(gates, 4, axis=1)
                c = nd.sigmoid(f) * c + nd.sigmoid(i) * nd.tanh(g)
                h = nd.sigmoid(o) * nd.tanh(c)
            return self.output(h)

    return Model()


def torch_model():
    import torch
    from torch import nn

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.W_x = nn.Parameter(torch.randn(4, 24) / 4)
            self.W_h = nn.Parameter(torch.randn(6, 24) / 4)
            self.b = nn.Parameter(torch.zeros(24))
            self.output = nn.Linear(6, 3)

        def gates(self, x, h):
            return (x @ self.W_x + h @ self.W_h + self.b).chunk(4, 1)

        def forward(self, x):
            h = c = x.new_zeros(x.shape[1], 6)
            for step in x:
                i, f, g, o = self.gates(step, h)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(c)
            return self.output(h)

    return Model()


def inputs(rng):
    return rng.standard_normal((5, 3, 4))  # (steps, sequences, features)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "adagrad", {"learning_rate": 0.0625, "eps": 1e-30})


def torch_optimizer(model):
    import torch

    return torch.optim.Adagrad(model.parameters(), lr=0.0625, eps=1e-30)
