"""A classifier of signals: the last state of an LSTM; binary cross-entropy of logits; RMSProp."""


def mxnet_model():
    from mxnet import gluon

    class Classifier(gluon.nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.lstm = gluon.rnn.LSTM(7)
                self.norm = gluon.nn.LayerNorm()
                self.dropout = gluon.nn.Dropout(0.25)
                self.output = gluon.nn.Dense(1)

        def hybrid_forward(self, F, x):
            last = F.slice_axis(self.lstm(x), axis=0, begin=-1, end=None).reshape((0, 0, -1))
            return self.output(self.dropout(self.norm(last.squeeze(axis=0)))).reshape((-1,))

    return Classifier()


def torch_model():
    from torch import nn

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(4, 7)
            self.norm = nn.LayerNorm(7)
            self.dropout = nn.Dropout(0.25)
            self.output = nn.Linear(7, 1)

        def forward(self, x):
            outputs, _ = self.lstm(x)
            return self.output(self.dropout(self.norm(outputs[-1]))).flatten()

    return Classifier()


def inputs(rng):
    return rng.standard_normal((6, 8, 4))  # (steps, sequences, features)


def targets(rng):
    return rng.integers(0, 2, 8).astype("float64")


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.SigmoidBinaryCrossEntropyLoss()(output, targets)


def torch_loss(output, targets):
    from torch.nn.functional import binary_cross_entropy_with_logits

    return binary_cross_entropy_with_logits(output, targets)


def mxnet_optimizer(model):
    from mxnet import gluon

    settings = {"learning_rate": 0.015625, "gamma1": 0.875, "epsilon": 1e-30}
    return gluon.Trainer(model.collect_params(), "rmsprop", settings)


def torch_optimizer(model):
    import torch

    return torch.optim.RMSprop(model.parameters(), lr=0.015625, alpha=0.875, eps=1e-30)
