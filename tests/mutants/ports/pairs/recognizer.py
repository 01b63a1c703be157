"""A recognizer of speech: convolutions over time and connectionist temporal classification; the blank is the last."""

dtype = "float32"  # MXNet has no connectionist temporal classification in float64


def mxnet_model():
    from mxnet.gluon import nn

    class Recognizer(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.conv = nn.Conv1D(8, 3, padding=2, dilation=2)
                self.activation = nn.GELU()
                self.norm = nn.LayerNorm(axis=1, epsilon=0.0009765625)
                self.output = nn.Dense(6, flatten=False)

        def hybrid_forward(self, F, x):
            return self.output(self.norm(self.activation(self.conv(x))).swapaxes(1, 2))

    return Recognizer()


def torch_model():
    from torch import nn

    class Recognizer(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(3, 8, 3, padding=2, dilation=2)
            self.activation = nn.GELU()
            self.norm = nn.LayerNorm(8, eps=0.0009765625)
            self.output = nn.Linear(8, 6)

        def forward(self, x):
            return self.output(self.norm(self.activation(self.conv(x)).transpose(1, 2)))

    return Recognizer()


def inputs(rng):
    return rng.standard_normal((4, 3, 12))


def targets(rng):
    return rng.integers(0, 5, (4, 3))


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.CTCLoss()(output, targets.astype(output.dtype))


def torch_loss(output, targets):
    import torch
    from torch.nn.functional import ctc_loss

    steps = torch.full((output.shape[0],), output.shape[1])
    lengths = torch.full((output.shape[0],), targets.shape[1])
    losses = ctc_loss(output.log_softmax(-1).swapaxes(0, 1), targets, steps, lengths, blank=5, reduction="none")
    return losses.mean()


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.0625, "momentum": 0.5})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=0.0625, momentum=0.5)
