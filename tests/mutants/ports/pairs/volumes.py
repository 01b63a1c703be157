"""Convolutions of three dimensions, pooling, and a transposed convolution; Huber's loss."""

dtype = "float32"  # MXNet has no transposed convolution of three dimensions in float64


def mxnet_model():
    from mxnet.gluon import nn

    model = nn.HybridSequential()
    model.add(
        nn.Conv3D(4, 3, padding=(1, 0, 1)),
        nn.Activation("tanh"),
        nn.MaxPool3D(2, 2, ceil_mode=True),
        nn.Conv3DTranspose(3, (2, 3, 2), strides=(1, 2, 1)),
        nn.ELU(1.0),
        nn.AvgPool3D((2, 3, 2), 2, padding=(1, 1, 0), count_include_pad=False),
    )
    return model


def torch_model():
    from torch import nn

    return nn.Sequential(
        nn.Conv3d(2, 4, 3, padding=(1, 0, 1)),
        nn.Tanh(),
        nn.MaxPool3d(2, 2, ceil_mode=True),
        nn.ConvTranspose3d(4, 3, (2, 3, 2), stride=(1, 2, 1)),
        nn.ELU(1.0),
        nn.AvgPool3d((2, 3, 2), 2, padding=(1, 1, 0), count_include_pad=False),
    )


def inputs(rng):
    return rng.standard_normal((2, 2, 5, 7, 6))


def targets(rng):
    return rng.standard_normal((2, 3, 3, 4, 2))


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.HuberLoss(rho=0.5)(output, targets)


def torch_loss(output, targets):
    from torch.nn.functional import smooth_l1_loss

    return smooth_l1_loss(output, targets, beta=0.5)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.25, "momentum": 0.75})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=0.25, momentum=0.75)
