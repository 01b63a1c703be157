"""MobileNet version 1: a convolution over each channel, then one over all channels."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, CLASSES, STEM = (224, 1000, 32) if FULL else (32, 5, 4)
LAYERS = (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)
LAYERS = LAYERS if FULL else ((8, 1), (12, 2), (12, 1))


def mxnet_model():
    from mxnet.gluon import nn

    def add_conv(out, channels, kernel=1, stride=1, pad=0, num_group=1):
        out.add(nn.Conv2D(channels, kernel, stride, pad, groups=num_group, use_bias=False))
        out.add(nn.BatchNorm(scale=True))
        out.add(nn.Activation("relu"))

    net = nn.HybridSequential(prefix="mobilenet_")
    with net.name_scope():
        add_conv(net, STEM, kernel=3, stride=2, pad=1)
        width = STEM
        for channels, stride in LAYERS:
            add_conv(net, width, kernel=3, stride=stride, pad=1, num_group=width)
            add_conv(net, channels)
            width = channels
        net.add(nn.GlobalAvgPool2D())
        net.add(nn.Flatten())
        net.add(nn.Dense(CLASSES))
    net.hybridize()
    return net


def torch_model():
    from torch import nn

    class Separable(nn.Module):
        def __init__(self, cin, cout, stride):
            super().__init__()
            self.depthwise = nn.Conv2d(cin, cin, 3, stride=stride, padding=1, groups=cin, bias=False)
            self.bn_d = nn.BatchNorm2d(cin)
            self.pointwise = nn.Conv2d(cin, cout, 1, bias=False)
            self.bn_p = nn.BatchNorm2d(cout)
            self.act = nn.ReLU()

        def forward(self, x):
            x = self.act(self.bn_d(self.depthwise(x)))
            return self.act(self.bn_p(self.pointwise(x)))

    class MobileNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, STEM, 3, 2, 1, bias=False), nn.BatchNorm2d(STEM), nn.ReLU())
            widths = [STEM, *[width for width, _ in LAYERS]]
            self.layers = nn.Sequential(*[Separable(widths[i], w, s) for i, (w, s) in enumerate(LAYERS)])
            self.fc = nn.Linear(widths[-1], CLASSES)

        def forward(self, x):
            return self.fc(self.layers(self.stem(x)).mean((2, 3)))

    return MobileNet()


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

    return gluon.Trainer(model.collect_params(), "nag", {"learning_rate": 0.05, "momentum": 0.9})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
