"""A convolutional network with the conventions of pooling and many activations; Kullback-Leibler divergence."""


def mxnet_model():
    from mxnet.gluon import nn

    model = nn.HybridSequential()
    model.add(
        nn.Conv2D(6, 3, padding=1),
        nn.LeakyReLU(0.125),
        nn.MaxPool2D(3, 2, ceil_mode=True),
        nn.Conv2D(6, 3, padding=1),
        nn.ELU(0.5),
        nn.AvgPool2D(3, 2, padding=1),
        nn.Conv2D(8, 3, padding=1),
        nn.Activation("softrelu"),
        nn.AvgPool2D(2, 2, ceil_mode=True, count_include_pad=False),
        nn.Conv2D(8, 1),
        nn.Swish(),
        nn.GlobalAvgPool2D(),
        nn.Flatten(),
        nn.Dense(5, activation="softsign"),
    )
    return model


def torch_model():
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1),
        nn.LeakyReLU(0.125),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Conv2d(6, 6, 3, padding=1),
        nn.ELU(0.5),
        nn.AvgPool2d(3, 2, padding=1),
        nn.Conv2d(6, 8, 3, padding=1),
        nn.Softplus(),
        nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False),
        nn.Conv2d(8, 8, 1),
        nn.SiLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
        nn.Softsign(),
    )


def inputs(rng):
    return rng.standard_normal((3, 2, 12, 14))


def targets(rng):
    odds = rng.uniform(0.5, 2, (3, 5))
    return odds / odds.sum(1, keepdims=True)


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.KLDivLoss(from_logits=False)(output, targets)


def torch_loss(output, targets):
    from torch.nn.functional import kl_div

    return kl_div(output.log_softmax(1), targets, reduction="batchmean")


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.25})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=0.25)
