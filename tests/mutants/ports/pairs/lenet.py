"""A convolutional network after LeNet; label smoothing; weight decay of all parameters; clipping by the global norm."""

SMOOTHING = 0.125
THRESHOLD = 0.25


def mxnet_model():
    from mxnet.gluon import nn

    model = nn.HybridSequential()
    model.add(
        nn.Conv2D(6, 5, padding=2, activation="sigmoid"),
        nn.AvgPool2D(2, 2),
        nn.Conv2D(8, (3, 5), activation="relu"),
        nn.MaxPool2D(2, 2),
        nn.Dense(12, activation="tanh"),
        nn.Dense(6),
    )
    return model


def torch_model():
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.Sigmoid(),
        nn.AvgPool2d(2, 2),
        nn.Conv2d(6, 8, (3, 5)),
        nn.ReLU(),
        nn.MaxPool2d(2, 2),
        nn.Flatten(),
        nn.Linear(32, 12),
        nn.Tanh(),
        nn.Linear(12, 6),
    )


def inputs(rng):
    return rng.standard_normal((4, 1, 12, 16))


def targets(rng):
    return rng.integers(0, 6, 4)


def mxnet_loss(output, targets):
    from mxnet import gluon, nd

    smooth = nd.one_hot(targets, 6, dtype=output.dtype) * (1 - SMOOTHING) + SMOOTHING / 6
    return gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False)(output, smooth)


def torch_loss(output, targets):
    from torch.nn.functional import cross_entropy

    return cross_entropy(output, targets, label_smoothing=SMOOTHING)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.5, "wd": 0.0625})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=0.5, weight_decay=0.0625)


def mxnet_clip(model):
    from mxnet import nd

    gradients = [p.grad() for p in model.collect_params().values() if p.grad_req != "null"]
    norm = nd.sqrt(nd.add_n(*[(g * g).sum() for g in gradients]))
    scale = nd.minimum(THRESHOLD / norm, nd.ones_like(norm))
    for gradient in gradients:
        gradient *= scale


def torch_clip(model):
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    norm = sum((g * g).sum() for g in gradients) ** 0.5
    for gradient in gradients:
        gradient.mul_((THRESHOLD / norm).clamp(max=1.0))
