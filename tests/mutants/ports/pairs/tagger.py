"""A tagger of words: an embedding and a bidirectional LSTM of two layers; padding has no loss."""

PADDING = 0


def mxnet_model():
    from mxnet import gluon

    class Tagger(gluon.nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.embedding = gluon.nn.Embedding(11, 5)
                self.lstm = gluon.rnn.LSTM(6, num_layers=2, layout="NTC", bidirectional=True)
                self.output = gluon.nn.Dense(4, flatten=False)

        def hybrid_forward(self, F, words):
            return self.output(self.lstm(self.embedding(words)))

    return Tagger()


def torch_model():
    from torch import nn

    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(11, 5)
            self.lstm = nn.LSTM(5, 6, num_layers=2, batch_first=True, bidirectional=True)
            self.output = nn.Linear(12, 4)

        def forward(self, words):
            return self.output(self.lstm(self.embedding(words))[0])

    return Tagger()


def inputs(rng):
    return rng.integers(0, 11, (3, 7))


def targets(rng):
    tags = rng.integers(1, 4, (3, 7))
    tags[:, 5:] = PADDING
    return tags


def mxnet_loss(output, targets):
    from mxnet import gluon

    mask = (targets != PADDING).astype(output.dtype)
    loss = gluon.loss.SoftmaxCrossEntropyLoss()(output, targets, mask.expand_dims(-1))
    return loss.sum() * targets.shape[1] / mask.sum()


def torch_loss(output, targets):
    from torch.nn.functional import cross_entropy

    return cross_entropy(output.flatten(0, 1), targets.flatten(), ignore_index=PADDING)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.5, "momentum": 0.875})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.875)
