"""SqueezeNet: fire modules, windows rounded up, a convolution for a classifier."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, CLASSES, STEM = (224, 1000, 64) if FULL else (40, 5, 6)
FIRES = ((16, 64), (16, 64), None, (32, 128), (32, 128), None, (48, 192), (48, 192), (64, 256), (64, 256))
FIRES = FIRES if FULL else ((2, 4), (2, 5), None, (3, 6))


def mxnet_model():
    from mxnet.gluon import nn
    from mxnet.gluon.contrib.nn import HybridConcurrent

    def make_fire(squeeze, expand):
        out = nn.HybridSequential(prefix="")
        out.add(nn.Conv2D(squeeze, 1, activation="relu"))
        paths = HybridConcurrent(axis=1, prefix="")
        paths.add(nn.Conv2D(expand, 1, activation="relu"), nn.Conv2D(expand, 3, padding=1, activation="relu"))
        out.add(paths)
        return out

    net = nn.HybridSequential()
    net.add(nn.Conv2D(STEM, 3, 2, activation="relu"), nn.MaxPool2D(3, 2, ceil_mode=True))
    for fire in FIRES:
        net.add(make_fire(*fire) if fire else nn.MaxPool2D(pool_size=3, strides=2, ceil_mode=True))
    net.add(nn.Dropout(0.5), nn.Conv2D(CLASSES, kernel_size=1), nn.Activation("relu"))
    net.add(nn.GlobalAvgPool2D(), nn.Flatten())
    net.hybridize()
    return net


def torch_model():
    import torch
    from torch import nn

    class Fire(nn.Module):
        def __init__(self, inplanes, squeeze_planes, expand_planes):
            super().__init__()
            self.squeeze = nn.Conv2d(inplanes, squeeze_planes, kernel_size=1)
            self.expand1x1 = nn.Conv2d(squeeze_planes, expand_planes, kernel_size=1)
            self.expand3x3 = nn.Conv2d(squeeze_planes, expand_planes, kernel_size=3, padding=1)

        def forward(self, x):
            x = self.squeeze(x).relu()
            return torch.cat([self.expand1x1(x), self.expand3x3(x)], dim=1).relu()

    class SqueezeNet(nn.Module):
        def __init__(self):
            super().__init__()
            features = [nn.Conv2d(3, STEM, 3, stride=2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True)]
            channels = STEM
            for fire in FIRES:
                if fire is None:
                    features.append(nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True))
                else:
                    features.append(Fire(channels, *fire))
                    channels = 2 * fire[1]
            self.features = nn.Sequential(*features)
            self.classifier = nn.Sequential(
                nn.Dropout(p=0.5), nn.Conv2d(channels, CLASSES, 1), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d((1, 1))
            )

        def forward(self, x):
            return torch.flatten(self.classifier(self.features(x)), 1)

    return SqueezeNet()


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
