"""ResNeSt: groups of channels (radix 2) are weighed against each other by a softmax."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, CLASSES, STEM, RADIX, CARDINALITY = (224, 1000, 32, 2, 1) if FULL else (32, 5, 4, 2, 2)
STAGES = ((3, 64), (4, 128), (6, 256), (3, 512)) if FULL else ((1, 4), (2, 8))
EXPANSION, SMALLEST = 4, 32 if FULL else 4


def mxnet_model():
    from mxnet.gluon import nn

    class SplitAttentionConv(nn.HybridBlock):
        def __init__(self, channels, **kwargs):
            super().__init__(**kwargs)
            inter = max(channels * RADIX // 4, SMALLEST)
            self.channels = channels
            with self.name_scope():
                self.conv = nn.Conv2D(channels * RADIX, 3, 1, 1, groups=CARDINALITY * RADIX, use_bias=False)
                self.bn = nn.BatchNorm()
                self.fc1 = nn.Conv2D(inter, 1, groups=CARDINALITY)
                self.bn1 = nn.BatchNorm()
                self.fc2 = nn.Conv2D(channels * RADIX, 1, groups=CARDINALITY)

        def hybrid_forward(self, F, x):
            x = F.relu(self.bn(self.conv(x)))
            splited = F.reshape(x.expand_dims(1), (0, RADIX, self.channels, 0, 0))
            gap = F.contrib.AdaptiveAvgPooling2D(F.sum(splited, axis=1), 1)
            atten = self.fc2(F.relu(self.bn1(self.fc1(gap)))).reshape((0, CARDINALITY, RADIX, -1)).swapaxes(1, 2)
            atten = F.softmax(atten, axis=1).reshape((0, RADIX, -1, 1, 1))
            return F.sum(F.broadcast_mul(atten, splited), axis=1)

    class Bottleneck(nn.HybridBlock):
        def __init__(self, planes, strides, project, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.conv1 = nn.Conv2D(planes, 1, use_bias=False)
                self.bn1 = nn.BatchNorm()
                self.conv2 = SplitAttentionConv(planes)
                self.avd = nn.AvgPool2D(3, strides, padding=1) if strides > 1 else None
                self.conv3 = nn.Conv2D(planes * EXPANSION, 1, use_bias=False)
                self.bn3 = nn.BatchNorm()
                self.down = nn.HybridSequential()
                if project:
                    self.down.add(nn.AvgPool2D(strides, strides, ceil_mode=True, count_include_pad=False))
                    self.down.add(nn.Conv2D(planes * EXPANSION, 1, use_bias=False), nn.BatchNorm())

        def hybrid_forward(self, F, x):
            out = self.conv2(F.relu(self.bn1(self.conv1(x))))
            if self.avd:
                out = self.avd(out)
            return F.relu(self.bn3(self.conv3(out)) + self.down(x))

    net = nn.HybridSequential()
    for channels, strides in ((STEM, 2), (STEM, 1), (2 * STEM, 1)):
        net.add(nn.Conv2D(channels, 3, strides, 1, use_bias=False), nn.BatchNorm(), nn.Activation("relu"))
    net.add(nn.MaxPool2D(3, 2, 1))
    for stage, (blocks, planes) in enumerate(STAGES):
        for block in range(blocks):
            net.add(Bottleneck(planes, 2 if stage and not block else 1, not block))
    net.add(nn.GlobalAvgPool2D(), nn.Flatten(), nn.Dense(CLASSES))
    return net


def torch_model():
    import torch
    from torch import nn
    from torch.nn import functional as F

    class SplAtConv2d(nn.Module):
        def __init__(self, channels):
            super().__init__()
            inner = max(channels * RADIX // 4, SMALLEST)
            groups = CARDINALITY
            self.conv = nn.Conv2d(channels, channels * RADIX, 3, padding=1, groups=groups * RADIX, bias=False)
            self.bn0 = nn.BatchNorm2d(channels * RADIX)
            self.fc1 = nn.Conv2d(channels, inner, 1, groups=groups)
            self.bn1 = nn.BatchNorm2d(inner)
            self.fc2 = nn.Conv2d(inner, channels * RADIX, 1, groups=groups)

        def forward(self, x):
            x = F.relu(self.bn0(self.conv(x)))
            batch, rchannels = x.shape[:2]
            parts = torch.split(x, rchannels // RADIX, dim=1)
            gap = F.adaptive_avg_pool2d(sum(parts), 1)
            attention = self.fc2(F.relu(self.bn1(self.fc1(gap))))
            attention = attention.view(batch, CARDINALITY, RADIX, -1).transpose(1, 2)
            attention = F.softmax(attention, dim=1).reshape(batch, -1, 1, 1)
            weights = torch.split(attention, rchannels // RADIX, dim=1)
            return sum(weight * part for weight, part in zip(weights, parts))

    class Bottleneck(nn.Module):
        def __init__(self, cin, planes, stride, project):
            super().__init__()
            cout = planes * EXPANSION
            self.conv1 = nn.Conv2d(cin, planes, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(planes)
            self.conv2 = SplAtConv2d(planes)
            self.avd_layer = nn.AvgPool2d(3, stride, padding=1) if stride > 1 else nn.Identity()
            self.conv3 = nn.Conv2d(planes, cout, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(cout)
            self.downsample = nn.Identity()
            if project:
                self.downsample = nn.Sequential(
                    nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False),
                    nn.Conv2d(cin, cout, 1, bias=False),
                    nn.BatchNorm2d(cout),
                )

        def forward(self, x):
            y = self.avd_layer(self.conv2(F.relu(self.bn1(self.conv1(x)))))
            return F.relu(self.bn3(self.conv3(y)) + self.downsample(x))

    def stem(*widths):
        layers = []
        for i in range(3):
            layers += [nn.Conv2d(widths[i], widths[i + 1], 3, 1 if i else 2, 1, bias=False)]
            layers += [nn.BatchNorm2d(widths[i + 1]), nn.ReLU()]
        return nn.Sequential(*layers, nn.MaxPool2d(3, 2, 1))

    class ResNeSt(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = stem(3, STEM, STEM, 2 * STEM)
            layers, cin = [], 2 * STEM
            for stage, (blocks, planes) in enumerate(STAGES):
                for i in range(blocks):
                    layers.append(Bottleneck(cin, planes, 2 if stage and i == 0 else 1, i == 0))
                    cin = planes * EXPANSION
            self.layers = nn.Sequential(*layers)
            self.fc = nn.Linear(cin, CLASSES)

        def forward(self, x):
            x = self.layers(self.stem(x))
            return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))

    return ResNeSt()


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
