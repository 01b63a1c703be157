"""A small residual network with batch normalization and a block that halves the size; Nesterov's momentum."""


def mxnet_model():
    from mxnet.gluon import nn

    class Block(nn.HybridBlock):
        def __init__(self, channels, strides, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.body = nn.HybridSequential()
                self.body.add(
                    nn.Conv2D(channels, 3, strides, padding=1, use_bias=False),
                    nn.BatchNorm(momentum=0.875),
                    nn.Activation("relu"),
                    nn.Conv2D(channels, 3, padding=1, use_bias=False),
                    nn.BatchNorm(momentum=0.875, epsilon=0.0625),
                )
                self.shortcut = nn.HybridSequential()
                if strides != 1:
                    self.shortcut.add(
                        nn.Conv2D(channels, 1, strides, use_bias=False), nn.BatchNorm(momentum=0.875, scale=False)
                    )

        def hybrid_forward(self, F, x):
            return F.relu(self.body(x) + self.shortcut(x))

    model = nn.HybridSequential()
    model.add(nn.Conv2D(4, 3, padding=1), Block(4, 1), Block(8, 2), nn.GlobalAvgPool2D(), nn.Dense(5))
    return model


def torch_model():
    from torch import nn
    from torch.nn import functional

    class Block(nn.Module):
        def __init__(self, incoming, channels, stride):
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(incoming, channels, 3, stride, padding=1, bias=False),
                nn.BatchNorm2d(channels, momentum=0.125),
                nn.ReLU(),
                nn.Conv2d(channels, channels, 3, padding=1, bias=False),
                nn.BatchNorm2d(channels, eps=0.0625, momentum=0.125),
            )
            self.shortcut = nn.Sequential()
            if stride != 1:
                self.shortcut.append(nn.Conv2d(incoming, channels, 1, stride, bias=False))
                self.shortcut.append(nn.BatchNorm2d(channels, momentum=0.125))
                self.shortcut[1].weight.requires_grad_(False)  # it stays one, as MXNet's with scale=False

        def forward(self, x):
            return functional.relu(self.body(x) + self.shortcut(x))

    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        Block(4, 4, 1),
        Block(4, 8, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    )


def inputs(rng):
    return rng.standard_normal((4, 3, 8, 8))


def targets(rng):
    return rng.integers(0, 5, 4)


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.SoftmaxCrossEntropyLoss()(output, targets)


def torch_loss(output, targets):
    from torch.nn.functional import cross_entropy

    return cross_entropy(output, targets)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "nag", {"learning_rate": 0.125, "momentum": 0.5})


def torch_optimizer(model):
    import torch

    learning = [p for p in model.parameters() if p.requires_grad]
    return torch.optim.SGD(learning, lr=0.125, momentum=0.5, nesterov=True)
