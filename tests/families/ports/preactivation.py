"""ResNet version 2: normalization and activation stand before the convolutions, the shortcut after the first."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, CLASSES, STEM = (224, 1000, 64) if FULL else (32, 5, 4)
STAGES = ((2, 64), (2, 128), (2, 256), (2, 512)) if FULL else ((1, 4), (2, 8))


def mxnet_model():
    from mxnet.gluon import nn

    class BasicBlockV2(nn.HybridBlock):
        def __init__(self, channels, stride, downsample, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.bn1 = nn.BatchNorm()
                self.conv1 = nn.Conv2D(channels, 3, stride, 1, use_bias=False)
                self.bn2 = nn.BatchNorm()
                self.conv2 = nn.Conv2D(channels, 3, 1, 1, use_bias=False)
                self.downsample = nn.Conv2D(channels, 1, stride, use_bias=False) if downsample else None

        def hybrid_forward(self, F, x):
            residual = x
            x = F.relu(self.bn1(x))
            if self.downsample:
                residual = self.downsample(x)
            x = self.conv2(F.relu(self.bn2(self.conv1(x))))
            return x + residual

    net = nn.HybridSequential()
    net.add(nn.BatchNorm(scale=False, center=False))
    net.add(nn.Conv2D(STEM, 7, 2, 3, use_bias=False), nn.BatchNorm(), nn.Activation("relu"), nn.MaxPool2D(3, 2, 1))
    width = STEM
    for number, (blocks, channels) in enumerate(STAGES):
        for block in range(blocks):
            stride = 2 if block == 0 and number else 1
            net.add(BasicBlockV2(channels, stride, stride == 2 or width != channels))
            width = channels
    net.add(nn.BatchNorm(), nn.Activation("relu"), nn.GlobalAvgPool2D(), nn.Flatten(), nn.Dense(CLASSES))
    return net


def torch_model():
    from collections import OrderedDict

    from torch import nn
    from torch.nn import functional

    class PreActBlock(nn.Module):
        def __init__(self, incoming, outgoing, stride):
            super().__init__()
            self.norm_a = nn.BatchNorm2d(incoming)
            self.conv_a = nn.Conv2d(incoming, outgoing, 3, stride, padding=1, bias=False)
            self.norm_b = nn.BatchNorm2d(outgoing)
            self.conv_b = nn.Conv2d(outgoing, outgoing, 3, padding=1, bias=False)
            if stride != 1 or incoming != outgoing:
                self.project = nn.Conv2d(incoming, outgoing, 1, stride, bias=False)

        def forward(self, x):
            active = functional.relu(self.norm_a(x))
            shortcut = self.project(active) if hasattr(self, "project") else x
            return shortcut + self.conv_b(functional.relu(self.norm_b(self.conv_a(active))))

    blocks, incoming = [], STEM
    for number, (repeats, channels) in enumerate(STAGES):
        for block in range(repeats):
            blocks.append(PreActBlock(incoming, channels, 2 if block == 0 and number > 0 else 1))
            incoming = channels
    return nn.Sequential(
        OrderedDict(
            data=nn.BatchNorm2d(3, affine=False),
            stem=nn.Conv2d(3, STEM, 7, 2, 3, bias=False),
            stem_norm=nn.BatchNorm2d(STEM),
            stem_relu=nn.ReLU(),
            stem_pool=nn.MaxPool2d(3, 2, 1),
            blocks=nn.Sequential(*blocks),
            norm=nn.BatchNorm2d(incoming),
            relu=nn.ReLU(),
            pool=nn.AdaptiveAvgPool2d(1),
            flat=nn.Flatten(),
            head=nn.Linear(incoming, CLASSES),
        )
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
