"""Depthwise and grouped convolutions, dilation, normalization of groups, learned slopes; the squared error."""


def mxnet_model():
    from mxnet.gluon import nn

    model = nn.HybridSequential()
    model.add(
        nn.Conv2D(8, 3, padding=1),
        nn.PReLU(),
        nn.Conv2D(8, 3, padding=1, groups=8, use_bias=False),
        nn.GroupNorm(num_groups=4),
        nn.Conv2D(8, 1),
        nn.PReLU(),
        nn.Conv2D(12, 3, strides=2, padding=2, dilation=2, groups=4),
        nn.GroupNorm(num_groups=3, epsilon=0.03125, center=False, scale=False),
        nn.GlobalMaxPool2D(),
        nn.Dense(4),
    )
    return model


def torch_model():
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.PReLU(),
        nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False),
        nn.GroupNorm(4, 8),
        nn.Conv2d(8, 8, 1),
        nn.PReLU(),
        nn.Conv2d(8, 12, 3, stride=2, padding=2, dilation=2, groups=4),
        nn.GroupNorm(3, 12, eps=0.03125, affine=False),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(12, 4),
    )


def inputs(rng):
    return rng.standard_normal((3, 3, 9, 8))


def targets(rng):
    return rng.standard_normal((3, 4))


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.L2Loss()(output, targets)


def torch_loss(output, targets):
    from torch.nn.functional import mse_loss

    return mse_loss(output, targets) / 2


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.25, "momentum": 0.5, "wd": 0.125})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=0.25, momentum=0.5, weight_decay=0.125)
