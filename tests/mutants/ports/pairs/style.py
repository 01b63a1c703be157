"""A network that transfers style: reflected borders, instance normalization, a transposed convolution."""

dtype = "float32"  # MXNet has no instance normalization in float64


def mxnet_model():
    from mxnet.gluon import nn

    model = nn.HybridSequential()
    model.add(
        nn.ReflectionPad2D(2),
        nn.Conv2D(6, 5),
        nn.InstanceNorm(scale=True, center=True),
        nn.Activation("relu"),
        nn.Conv2D(8, 3, strides=2, padding=1),
        nn.InstanceNorm(scale=True, center=True, epsilon=0.015625),
        nn.Swish(),
        nn.Conv2DTranspose(4, 4, strides=2, padding=1),
        nn.Conv2D(3, 1, activation="tanh"),
    )
    return model


def torch_model():
    from torch import nn

    return nn.Sequential(
        nn.ReflectionPad2d(2),
        nn.Conv2d(3, 6, 5),
        nn.InstanceNorm2d(6, affine=True),
        nn.ReLU(),
        nn.Conv2d(6, 8, 3, stride=2, padding=1),
        nn.InstanceNorm2d(8, affine=True, eps=0.015625),
        nn.SiLU(),
        nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1),
        nn.Conv2d(4, 3, 1),
        nn.Tanh(),
    )


def inputs(rng):
    return rng.standard_normal((2, 3, 8, 8))


def targets(rng):
    return rng.standard_normal((2, 3, 8, 8))


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.L2Loss()(output, targets) + 0.5 * gluon.loss.L1Loss()(output, targets)


def torch_loss(output, targets):
    from torch.nn.functional import l1_loss, mse_loss

    return 0.5 * mse_loss(output, targets) + 0.5 * l1_loss(output, targets)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.25, "momentum": 0.5, "wd": 0.0625})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=0.25, momentum=0.5, weight_decay=0.0625)
