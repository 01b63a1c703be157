"""ResNeXt: bottlenecks whose middle convolution has groups; a deep stem, average pooling before the shortcut."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, CLASSES, STEM, CARDINALITY = (224, 1000, 32, 32) if FULL else (32, 5, 4, 4)
STAGES = ((3, 128, 256), (4, 256, 512), (6, 512, 1024), (3, 1024, 2048)) if FULL else ((1, 8, 12), (2, 16, 20))


def mxnet_model():
    from mxnet.gluon import nn

    class ResNeXtUnit(nn.HybridBlock):
        def __init__(self, width, out, strides, first, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.conv1 = nn.Conv2D(width, 1, use_bias=False)
                self.bn1 = nn.BatchNorm()
                self.conv2 = nn.Conv2D(width, 3, strides=strides, padding=1, groups=CARDINALITY, use_bias=False)
                self.bn2 = nn.BatchNorm()
                self.conv3 = nn.Conv2D(out, 1, use_bias=False)
                self.bn3 = nn.BatchNorm()
                self.down = nn.HybridSequential(prefix="down_")
                if first:
                    if strides == 2:
                        self.down.add(nn.AvgPool2D(2, 2, ceil_mode=True, count_include_pad=False))
                    self.down.add(nn.Conv2D(out, 1, use_bias=False), nn.BatchNorm())

        def hybrid_forward(self, F, x):
            y = self.bn1(self.conv1(x)).relu()
            y = self.bn2(self.conv2(y)).relu()
            return F.relu(self.bn3(self.conv3(y)) + self.down(x))

    net = nn.HybridSequential()
    for channels, strides in ((STEM, 2), (STEM, 1), (2 * STEM, 1)):
        net.add(nn.Conv2D(channels, 3, strides, 1, use_bias=False), nn.BatchNorm(), nn.Activation("relu"))
    net.add(nn.MaxPool2D(3, 2, 1))
    for stage, (units, width, out) in enumerate(STAGES):
        for unit in range(units):
            net.add(ResNeXtUnit(width, out, 2 if stage and not unit else 1, not unit))
    net.add(nn.GlobalAvgPool2D(), nn.Flatten(), nn.Dense(CLASSES))
    net.hybridize()
    return net


def torch_model():
    from torch import nn
    from torch.nn.functional import relu

    class ConvNorm(nn.Sequential):
        def __init__(self, cin, cout, kernel, stride=1, groups=1):
            conv = nn.Conv2d(cin, cout, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False)
            super().__init__(conv, nn.BatchNorm2d(cout))

    class Unit(nn.Module):
        def __init__(self, cin, width, cout, stride, first):
            super().__init__()
            self.reduce = ConvNorm(cin, width, 1)
            self.group = ConvNorm(width, width, 3, stride, CARDINALITY)
            self.expand = ConvNorm(width, cout, 1)
            self.pool = nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False) if stride > 1 else nn.Identity()
            self.match = ConvNorm(cin, cout, 1) if first else nn.Identity()

        def forward(self, x):
            y = relu(self.reduce(x))
            y = relu(self.group(y))
            return relu(self.expand(y) + self.match(self.pool(x)))

    class ResNeXt(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.ModuleList([ConvNorm(3, STEM, 3, 2), ConvNorm(STEM, STEM, 3), ConvNorm(STEM, 2 * STEM, 3)])
            self.pool = nn.MaxPool2d(3, stride=2, padding=1)
            self.units = nn.ModuleList()
            cin = 2 * STEM
            for stage, (count, width, cout) in enumerate(STAGES):
                for i in range(count):
                    self.units.append(Unit(cin, width, cout, 2 if i == 0 and stage > 0 else 1, i == 0))
                    cin = cout
            self.classify = nn.Linear(cin, CLASSES)

        def forward(self, x):
            for layer in self.stem:
                x = relu(layer(x))
            x = self.pool(x)
            for unit in self.units:
                x = unit(x)
            return self.classify(x.mean((-2, -1)))

    return ResNeXt()


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
