"""All the activations that have numbers of their own, one after the other."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, CLASSES, WIDTH = (224, 1000, 64) if FULL else (12, 5, 6)


def mxnet_model():
    from mxnet.gluon import nn

    net = nn.HybridSequential()
    for layer in (nn.PReLU(), nn.LeakyReLU(0.1), nn.ELU(0.7), nn.SELU(), nn.GELU(), nn.Swish(), nn.Swish(beta=1.5)):
        net.add(nn.Conv2D(WIDTH, 3, padding=1), nn.BatchNorm(), layer)
    net.add(nn.GlobalAvgPool2D(), nn.Dense(WIDTH), nn.Activation("softrelu"))
    net.add(nn.Dense(WIDTH), nn.Activation("softsign"))
    net.add(nn.Dense(CLASSES, activation="tanh"))
    return net


def torch_model():
    import torch
    from torch import nn

    class Swish(nn.Module):
        def __init__(self, beta):
            super().__init__()
            self.beta = beta

        def forward(self, x):
            return x * torch.sigmoid(self.beta * x)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.activations = nn.ModuleList(
                [nn.PReLU(), nn.LeakyReLU(0.1), nn.ELU(0.7), nn.SELU(), nn.GELU(), nn.SiLU(), Swish(1.5)]
            )
            widths = [3] + [WIDTH] * len(self.activations)
            self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in zip(widths, widths[1:]))
            self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths[1:])
            self.hidden = nn.ModuleList([nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)])
            self.last = nn.Linear(WIDTH, CLASSES)

        def forward(self, x):
            for conv, norm, activation in zip(self.convs, self.norms, self.activations):
                x = activation(norm(conv(x)))
            x = nn.functional.softplus(self.hidden[0](x.mean((2, 3))))
            x = nn.functional.softsign(self.hidden[1](x))
            return self.last(x).tanh()

    return Net()


def inputs(rng):
    return rng.standard_normal((2, 3, PIXELS, PIXELS))


def targets(rng):
    return rng.integers(0, CLASSES, 2)


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.SoftmaxCrossEntropyLoss()(output, targets)


def torch_loss(output, targets):
    from torch.nn import functional

    return functional.cross_entropy(output, targets)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.01, "momentum": 0.9, "wd": 5e-4})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
