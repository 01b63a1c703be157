"""Inception version 3: branches with average pooling, long kernels, and an end that branches again."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, CLASSES, W = (299, 1000, 16) if FULL else (75, 5, 1)  # widths are multiples of W


def mxnet_model():
    from mxnet.gluon import nn
    from mxnet.gluon.contrib.nn import HybridConcurrent

    def basic(channels, kernel, stride=1, pad=0):
        out = nn.HybridSequential(prefix="")
        out.add(nn.Conv2D(channels * W, kernel, stride, pad, use_bias=False))
        out.add(nn.BatchNorm(epsilon=0.001))
        out.add(nn.Activation("relu"))
        return out

    def branch(pool, *settings):
        out = nn.HybridSequential(prefix="")
        if pool == "avg":
            out.add(nn.AvgPool2D(pool_size=3, strides=1, padding=1))
        elif pool == "max":
            out.add(nn.MaxPool2D(pool_size=3, strides=2))
        for setting in settings:
            out.add(basic(*setting))
        return out

    def concurrent(*branches):
        out = HybridConcurrent(axis=1, prefix="")
        out.add(*branches)
        return out

    def make_a(pool):
        return concurrent(
            branch(None, (4, 1)),
            branch(None, (3, 1), (4, 5, 1, 2)),
            branch(None, (4, 1), (6, 3, 1, 1), (6, 3, 1, 1)),
            branch("avg", (pool, 1)),
        )

    def make_c(mid):
        return concurrent(
            branch(None, (12, 1)),
            branch(None, (mid, 1), (mid, (1, 7), 1, (0, 3)), (12, (7, 1), 1, (3, 0))),
            branch(
                None,
                (mid, 1),
                (mid, (7, 1), 1, (3, 0)),
                (mid, (1, 7), 1, (0, 3)),
                (mid, (7, 1), 1, (3, 0)),
                (12, (1, 7), 1, (0, 3)),
            ),
            branch("avg", (12, 1)),
        )

    def make_e():
        two = concurrent(branch(None, (24, (1, 3), 1, (0, 1))), branch(None, (24, (3, 1), 1, (1, 0))))
        split = nn.HybridSequential(prefix="")
        split.add(basic(24, 1), two)
        return concurrent(branch(None, (20, 1)), split, branch("avg", (12, 1)))

    net = nn.HybridSequential()
    net.add(basic(2, 3, 2), basic(2, 3), basic(4, 3, 1, 1), nn.MaxPool2D(3, 2), basic(5, 1), basic(12, 3))
    net.add(nn.MaxPool2D(3, 2), make_a(2), make_a(4))
    net.add(concurrent(branch(None, (24, 3, 2)), branch(None, (4, 1), (6, 3, 1, 1), (6, 3, 2)), branch("max")))
    net.add(make_c(8), make_c(10))
    net.add(make_e(), nn.GlobalAvgPool2D(), nn.Dropout(0.5), nn.Dense(CLASSES))
    return net


def torch_model():
    import torch
    from torch import nn
    from torch.nn import functional as F

    class BasicConv2d(nn.Module):
        def __init__(self, cin, cout, **settings):
            super().__init__()
            self.conv = nn.Conv2d(int(cin * W), cout * W, bias=False, **settings)
            self.bn = nn.BatchNorm2d(cout * W, eps=0.001)

        def forward(self, x):
            return F.relu(self.bn(self.conv(x)), inplace=True)

    class InceptionA(nn.Module):
        def __init__(self, cin, pool_features):
            super().__init__()
            self.branch1x1 = BasicConv2d(cin, 4, kernel_size=1)
            self.branch5x5_1 = BasicConv2d(cin, 3, kernel_size=1)
            self.branch5x5_2 = BasicConv2d(3, 4, kernel_size=5, padding=2)
            self.branch3x3dbl_1 = BasicConv2d(cin, 4, kernel_size=1)
            self.branch3x3dbl_2 = BasicConv2d(4, 6, kernel_size=3, padding=1)
            self.branch3x3dbl_3 = BasicConv2d(6, 6, kernel_size=3, padding=1)
            self.branch_pool = BasicConv2d(cin, pool_features, kernel_size=1)

        def forward(self, x):
            one = self.branch1x1(x)
            five = self.branch5x5_2(self.branch5x5_1(x))
            three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
            pooled = self.branch_pool(F.avg_pool2d(x, kernel_size=3, stride=1, padding=1))
            return torch.cat([one, five, three, pooled], 1)

    class Reduction(nn.Module):
        def __init__(self, cin):
            super().__init__()
            self.branch3x3 = BasicConv2d(cin, 24, kernel_size=3, stride=2)
            self.dbl = nn.Sequential(
                BasicConv2d(cin, 4, kernel_size=1),
                BasicConv2d(4, 6, kernel_size=3, padding=1),
                BasicConv2d(6, 6, kernel_size=3, stride=2),
            )

        def forward(self, x):
            return torch.cat((self.branch3x3(x), self.dbl(x), F.max_pool2d(x, 3, stride=2)), dim=1)

    class InceptionC(nn.Module):
        def __init__(self, cin, c7):
            super().__init__()
            wide, tall = {"kernel_size": (1, 7), "padding": (0, 3)}, {"kernel_size": (7, 1), "padding": (3, 0)}
            self.branch1x1 = BasicConv2d(cin, 12, kernel_size=1)
            self.branch7x7 = nn.Sequential(
                BasicConv2d(cin, c7, kernel_size=1), BasicConv2d(c7, c7, **wide), BasicConv2d(c7, 12, **tall)
            )
            self.branch7x7dbl = nn.Sequential(
                BasicConv2d(cin, c7, kernel_size=1),
                BasicConv2d(c7, c7, **tall),
                BasicConv2d(c7, c7, **wide),
                BasicConv2d(c7, c7, **tall),
                BasicConv2d(c7, 12, **wide),
            )
            self.branch_pool = BasicConv2d(cin, 12, kernel_size=1)

        def forward(self, x):
            pooled = F.avg_pool2d(x, 3, 1, 1)
            outputs = [self.branch1x1(x), self.branch7x7(x), self.branch7x7dbl(x), self.branch_pool(pooled)]
            return torch.cat(outputs, 1)

    class InceptionE(nn.Module):
        def __init__(self, cin):
            super().__init__()
            self.branch1x1 = BasicConv2d(cin, 20, kernel_size=1)
            self.branch3x3_1 = BasicConv2d(cin, 24, kernel_size=1)
            self.branch3x3_2a = BasicConv2d(24, 24, kernel_size=(1, 3), padding=(0, 1))
            self.branch3x3_2b = BasicConv2d(24, 24, kernel_size=(3, 1), padding=(1, 0))
            self.branch_pool = BasicConv2d(cin, 12, kernel_size=1)

        def forward(self, x):
            three = self.branch3x3_1(x)
            three = torch.cat([self.branch3x3_2a(three), self.branch3x3_2b(three)], 1)
            pooled = self.branch_pool(F.avg_pool2d(x, kernel_size=3, stride=1, padding=1))
            return torch.cat([self.branch1x1(x), three, pooled], 1)

    return nn.Sequential(
        BasicConv2d(3 / W, 2, kernel_size=3, stride=2),
        BasicConv2d(2, 2, kernel_size=3),
        BasicConv2d(2, 4, kernel_size=3, padding=1),
        nn.MaxPool2d(3, 2),
        BasicConv2d(4, 5, kernel_size=1),
        BasicConv2d(5, 12, kernel_size=3),
        nn.MaxPool2d(3, 2),
        InceptionA(12, 2),
        InceptionA(16, 4),
        Reduction(18),
        InceptionC(48, 8),
        InceptionC(48, 10),
        InceptionE(48),
        nn.AdaptiveAvgPool2d(1),
        nn.Dropout(0.5),
        nn.Flatten(),
        nn.Linear(80 * W, CLASSES),
    )


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
