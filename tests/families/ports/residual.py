"""ResNet with bottlenecks, the stride in the 3x3 convolution."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, CLASSES, STEM = (224, 1000, 64) if FULL else (32, 5, 4)
STAGES = ((3, 256), (4, 512), (6, 1024), (3, 2048)) if FULL else ((2, 16), (1, 32))


def mxnet_model():
    from mxnet.gluon import nn

    class Bottleneck(nn.HybridBlock):
        def __init__(self, channels, stride, downsample, **kwargs):
            super().__init__(**kwargs)
            self.body = nn.HybridSequential(prefix="")
            self.body.add(nn.Conv2D(channels // 4, kernel_size=1, use_bias=False))
            self.body.add(nn.BatchNorm())
            self.body.add(nn.Activation("relu"))
            self.body.add(nn.Conv2D(channels // 4, kernel_size=3, strides=stride, padding=1, use_bias=False))
            self.body.add(nn.BatchNorm())
            self.body.add(nn.Activation("relu"))
            self.body.add(nn.Conv2D(channels, kernel_size=1, use_bias=False))
            self.body.add(nn.BatchNorm(gamma_initializer="zeros"))
            self.downsample = None
            if downsample:
                self.downsample = nn.HybridSequential(prefix="down_")
                self.downsample.add(nn.Conv2D(channels, kernel_size=1, strides=stride, use_bias=False))
                self.downsample.add(nn.BatchNorm())

        def hybrid_forward(self, F, x):
            shortcut = x if self.downsample is None else self.downsample(x)
            return F.Activation(self.body(x) + shortcut, act_type="relu")

    net = nn.HybridSequential()
    net.add(nn.Conv2D(STEM, 7, 2, 3, use_bias=False), nn.BatchNorm(), nn.Activation("relu"), nn.MaxPool2D(3, 2, 1))
    for number, (blocks, channels) in enumerate(STAGES):
        for block in range(blocks):
            net.add(Bottleneck(channels, 2 if block == 0 and number else 1, block == 0))
    net.add(nn.GlobalAvgPool2D(), nn.Dense(CLASSES))
    net.hybridize(static_alloc=True)
    return net


def torch_model():
    import torch
    from torch import nn

    def conv(incoming, outgoing, size, stride=1):
        return nn.Conv2d(incoming, outgoing, size, stride, padding=size // 2, bias=False)

    class Bottleneck(nn.Module):
        def __init__(self, incoming, outgoing, stride):
            super().__init__()
            inner = outgoing // 4
            self.conv1, self.bn1 = conv(incoming, inner, 1), nn.BatchNorm2d(inner)
            self.conv2, self.bn2 = conv(inner, inner, 3, stride), nn.BatchNorm2d(inner)
            self.conv3, self.bn3 = conv(inner, outgoing, 1), nn.BatchNorm2d(outgoing)
            self.relu = nn.ReLU(inplace=True)
            self.shortcut = None
            if incoming != outgoing:
                self.shortcut = nn.Sequential(conv(incoming, outgoing, 1, stride), nn.BatchNorm2d(outgoing))

        def forward(self, x):
            out = self.relu(self.bn1(self.conv1(x)))
            out = self.relu(self.bn2(self.conv2(out)))
            out = self.bn3(self.conv3(out))
            out += x if self.shortcut is None else self.shortcut(x)
            return self.relu(out)

    class ResNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = conv(3, STEM, 7, 2)
            self.bn1 = nn.BatchNorm2d(STEM)
            self.relu = nn.ReLU(inplace=True)
            self.maxpool = nn.MaxPool2d(3, 2, padding=1)
            incoming = STEM
            for number, (blocks, channels) in enumerate(STAGES, 1):
                layer = []
                for block in range(blocks):
                    layer.append(Bottleneck(incoming, channels, 2 if number > 1 and block == 0 else 1))
                    incoming = channels
                self.add_module(f"layer{number}", nn.Sequential(*layer))
            self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
            self.fc = nn.Linear(incoming, CLASSES)

        def forward(self, x):
            x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
            for number in range(1, len(STAGES) + 1):
                x = getattr(self, f"layer{number}")(x)
            return self.fc(torch.flatten(self.avgpool(x), 1))

    return ResNet()


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
