"""An encoder and a decoder with GRUs and additive attention; the decoder reads the true words; Adam."""


def mxnet_model():
    from mxnet import gluon
    from mxnet.gluon import nn

    class Attention(nn.HybridBlock):
        def __init__(self, size, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.query = nn.Dense(size, flatten=False, use_bias=False)
                self.key = nn.Dense(size, flatten=False, use_bias=False)
                self.score = nn.Dense(1, flatten=False, use_bias=False)

        def hybrid_forward(self, F, query, memory):
            # (N, 1, size) + (N, S, size)
            features = F.tanh(F.broadcast_add(self.query(query).expand_dims(1), self.key(memory)))
            weights = F.softmax(self.score(features), axis=1)
            return F.broadcast_mul(weights, memory).sum(axis=1)

    class Translator(nn.Block):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.source = nn.Embedding(9, 5)
                self.encoder = gluon.rnn.GRU(6, input_size=5)
                self.target = nn.Embedding(8, 5)
                self.attention = Attention(7)
                self.cell = gluon.rnn.GRUCell(6, input_size=11)
                self.output = nn.Dense(8, flatten=False)

        def forward(self, source, target):
            from mxnet import nd

            embedded = self.source(source).swapaxes(0, 1)
            start = self.encoder.begin_state(source.shape[0], ctx=embedded.context, dtype=embedded.dtype)
            memory, (state,) = self.encoder(embedded, start)
            memory, state = memory.swapaxes(0, 1), state[0]
            outputs = []
            for word in self.target(target).swapaxes(0, 1):
                context = self.attention(state, memory)
                _, (state,) = self.cell(nd.concat(context, word, dim=1), [state])
                outputs.append(self.output(state))
            return nd.stack(*outputs, axis=1)

    return Translator()


def torch_model():
    import torch
    from torch import nn

    class Attention(nn.Module):
        def __init__(self, incoming, size):
            super().__init__()
            self.query = nn.Linear(incoming, size, bias=False)
            self.key = nn.Linear(incoming, size, bias=False)
            self.score = nn.Linear(size, 1, bias=False)

        def forward(self, query, memory):
            features = torch.tanh(self.query(query)[:, None] + self.key(memory))
            weights = torch.softmax(self.score(features), dim=1)
            return (weights * memory).sum(1)

    class Translator(nn.Module):
        def __init__(self):
            super().__init__()
            self.source = nn.Embedding(9, 5)
            self.encoder = nn.GRU(5, 6, batch_first=True)
            self.target = nn.Embedding(8, 5)
            self.attention = Attention(6, 7)
            self.cell = nn.GRUCell(11, 6)
            self.output = nn.Linear(6, 8)

        def forward(self, source, target):
            memory, state = self.encoder(self.source(source))
            state = state[0]
            outputs = []
            for word in self.target(target).unbind(1):
                context = self.attention(state, memory)
                state = self.cell(torch.cat([context, word], 1), state)
                outputs.append(self.output(state))
            return torch.stack(outputs, 1)

    return Translator()


def inputs(rng):
    return rng.integers(0, 9, (4, 6)), rng.integers(0, 8, (4, 5))


def targets(rng):
    return rng.integers(0, 8, (4, 5))


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.SoftmaxCrossEntropyLoss()(output, targets)


def torch_loss(output, targets):
    from torch.nn.functional import cross_entropy

    return cross_entropy(output.flatten(0, 1), targets.flatten())


def mxnet_optimizer(model):
    from mxnet import gluon

    settings = {"learning_rate": 0.015625, "beta1": 0.875, "beta2": 0.96875, "epsilon": 0.0009765625}
    return gluon.Trainer(model.collect_params(), "adam", settings)


def torch_optimizer(model):
    import torch

    class Adam(torch.optim.Optimizer):
        """MXNet's: epsilon stands outside the bias correction."""

        def __init__(self, parameters, lr, betas, eps):
            super().__init__(parameters, {"lr": lr, "betas": betas, "eps": eps})
            self.updates = 0

        @torch.no_grad()
        def step(self):
            self.updates += 1
            for group in self.param_groups:
                beta1, beta2 = group["betas"]
                correction = (1 - beta2**self.updates) ** 0.5 / (1 - beta1**self.updates)
                rate = group["lr"] * correction
                for p in (p for p in group["params"] if p.grad is not None):
                    state = self.state[p]
                    state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * p.grad
                    state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * p.grad**2
                    p -= rate * state["m"] / (state["v"] ** 0.5 + group["eps"])

    return Adam(model.parameters(), lr=0.015625, betas=(0.875, 0.96875), eps=0.0009765625)
