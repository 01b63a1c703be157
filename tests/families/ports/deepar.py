"""DeepAR: an LSTM reads a series, what it was before and when, and tells the distribution of the next value."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
SERIES, EMBED, FEATURES, STEPS, CELLS, LAYERS = (370, 20, 4, 192, 40, 3) if FULL else (6, 3, 2, 8, 5, 2)
LAGS = (1, 2, 3, 24, 168) if FULL else (1, 2, 4)


def mxnet_model():
    from mxnet.gluon import nn, rnn

    class StudentTOutput(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.proj = nn.HybridSequential()
                for _ in range(3):
                    self.proj.add(nn.Dense(1, flatten=False, in_units=CELLS))

        def hybrid_forward(self, F, x):
            mu, sigma, nu = (F.squeeze(f(x), axis=-1) for f in self.proj._children.values())
            return mu, F.Activation(sigma, act_type="softrelu"), 2.0 + F.Activation(nu, act_type="softrelu")

    class DeepAR(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.embedder = nn.Embedding(SERIES, EMBED)
                size = EMBED + len(LAGS) + FEATURES + 1
                self.rnn = rnn.LSTM(CELLS, LAYERS, layout="NTC", dropout=0.1, input_size=size)
                self.output = StudentTOutput()

        def hybrid_forward(self, F, series, past, times):
            seen = F.slice_axis(past, axis=1, begin=max(LAGS) - 1, end=-1)
            scale = F.maximum(F.mean(F.abs(seen), axis=1, keepdims=True), 1e-10)
            lags = [F.slice_axis(past, axis=1, begin=max(LAGS) - lag, end=max(LAGS) - lag + STEPS) for lag in LAGS]
            lags = F.broadcast_div(F.stack(*lags, axis=-1), scale.expand_dims(2))
            static = F.concat(self.embedder(series), F.log(scale), dim=-1)
            static = F.repeat(static.expand_dims(1), STEPS, axis=1)
            mu, sigma, nu = self.output(self.rnn(F.concat(lags, times, static, dim=-1)))
            return F.broadcast_mul(mu, scale), F.broadcast_mul(sigma, scale), nu

    return DeepAR()


def torch_model():
    import torch
    from torch import nn
    from torch.nn import functional as F

    class DeepAR(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(SERIES, EMBED)
            size = len(LAGS) + FEATURES + EMBED + 1
            self.lstm = nn.LSTM(size, CELLS, num_layers=LAYERS, dropout=0.1, batch_first=True)
            self.loc = nn.Linear(CELLS, 1)
            self.scale = nn.Linear(CELLS, 1)
            self.df = nn.Linear(CELLS, 1)

        def forward(self, series, past, times):
            most = max(LAGS)
            scale = past[:, most - 1 : -1].abs().mean(dim=1, keepdim=True).clamp(min=1e-10)
            lagged = torch.stack([past[:, most - lag : most - lag + STEPS] for lag in LAGS], dim=-1)
            static = torch.cat([self.embed(series), scale.log()], dim=-1).unsqueeze(1).expand(-1, STEPS, -1)
            hidden, _ = self.lstm(torch.cat([lagged / scale.unsqueeze(-1), times, static], dim=-1))
            loc = self.loc(hidden).squeeze(-1) * scale
            return loc, F.softplus(self.scale(hidden).squeeze(-1)) * scale, 2 + F.softplus(self.df(hidden).squeeze(-1))

    return DeepAR()


def inputs(rng):
    past = 10 + rng.standard_normal((3, STEPS + max(LAGS)))
    return rng.integers(0, SERIES, 3), past, rng.standard_normal((3, STEPS, FEATURES))


def targets(rng):
    return 10 + rng.standard_normal((3, STEPS))


def mxnet_loss(output, targets):
    import math

    from mxnet import nd

    mu, sigma, nu = output
    z = (targets.astype(mu.dtype) - mu) / sigma
    top = nd.gammaln((nu + 1) / 2) - nd.gammaln(nu / 2) - 0.5 * nd.log(math.pi * nu) - nd.log(sigma)
    return ((nu + 1) / 2 * nd.log1p(nd.square(z) / nu) - top).mean(axis=1)


def torch_loss(output, targets):
    from torch.distributions import StudentT

    loc, scale, df = output
    return -StudentT(df, loc, scale).log_prob(targets).mean()


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "adam", {"learning_rate": 1e-3, "wd": 1e-8, "clip_gradient": 10.0})


def torch_optimizer(model):
    import torch

    return torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-8)


def torch_clip(model):
    import torch

    torch.nn.utils.clip_grad_value_(model.parameters(), 10.0)
