"""A classifier of reviews: vectors, a bidirectional GRU, batch first, mean and largest over time; AdaGrad."""


def mxnet_model():
    from mxnet import gluon

    class Sentiment(gluon.nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.embedding = gluon.nn.Embedding(15, 6)
                self.gru = gluon.rnn.GRU(5, layout="NTC", bidirectional=True)
                self.hidden = gluon.nn.Dense(8)
                self.output = gluon.nn.Dense(2)

        def hybrid_forward(self, F, words):
            states = self.gru(self.embedding(words))
            pooled = F.concat(states.mean(axis=1), states.max(axis=1), dim=1)
            return self.output(F.LeakyReLU(self.hidden(pooled)))

    return Sentiment()


def torch_model():
    import torch
    from torch import nn

    class Sentiment(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(15, 6)
            self.gru = nn.GRU(6, 5, batch_first=True, bidirectional=True)
            self.hidden = nn.Linear(20, 8)
            self.activation = nn.LeakyReLU(0.25)
            self.output = nn.Linear(8, 2)

        def forward(self, words):
            states, _ = self.gru(self.embedding(words))
            pooled = torch.cat([states.mean(1), states.amax(1)], 1)
            return self.output(self.activation(self.hidden(pooled)))

    return Sentiment()


def inputs(rng):
    return rng.integers(0, 15, (4, 6))


def targets(rng):
    return rng.integers(0, 2, 4)


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.SoftmaxCrossEntropyLoss()(output, targets)


def torch_loss(output, targets):
    from torch.nn.functional import cross_entropy

    return cross_entropy(output, targets)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "adagrad", {"learning_rate": 0.0625, "eps": 1e-30})


def torch_optimizer(model):
    import torch

    return torch.optim.Adagrad(model.parameters(), lr=0.0625, eps=1e-30)
