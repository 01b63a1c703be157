"""A multilayer perceptron with dropout; cross-entropy; stochastic gradient descent with momentum."""


def mxnet_model():
    from mxnet.gluon import nn

    model = nn.HybridSequential()
    model.add(
        nn.Dense(16, activation="relu"),
        nn.Dropout(0.25),
        nn.Dense(16, activation="tanh"),
        nn.Dropout(0.5),
        nn.Dense(5),
    )
    return model


def torch_model():
    from torch import nn

    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(12, 16),
        nn.ReLU(),
        nn.Dropout(0.25),
        nn.Linear(16, 16),
        nn.Tanh(),
        nn.Dropout(0.5),
        nn.Linear(16, 5),
    )


def inputs(rng):
    return rng.standard_normal((8, 3, 4))


def targets(rng):
    return rng.integers(0, 5, 8)


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.SoftmaxCrossEntropyLoss()(output, targets)


def torch_loss(output, targets):
    from torch.nn.functional import cross_entropy

    return cross_entropy(output, targets)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.125, "momentum": 0.875})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=0.125, momentum=0.875)
