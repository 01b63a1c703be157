"""SE-ResNet: channels are weighed by two dense layers behind an average over the picture."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, CLASSES, STEM, REDUCTION = (224, 1000, 64, 16) if FULL else (32, 5, 8, 2)
STAGES = ((2, 64), (2, 128), (2, 256), (2, 512)) if FULL else ((1, 8), (1, 12))


def mxnet_model():
    from mxnet.gluon import nn

    class SEBlock(nn.HybridBlock):
        def __init__(self, channels, stride, downsample, **kwargs):
            super().__init__(**kwargs)
            self.body = nn.HybridSequential(prefix="")
            self.body.add(nn.Conv2D(channels, 3, stride, 1, use_bias=False), nn.BatchNorm(), nn.Activation("relu"))
            self.body.add(nn.Conv2D(channels, 3, 1, 1, use_bias=False), nn.BatchNorm())
            self.se = nn.HybridSequential(prefix="")
            self.se.add(nn.Dense(channels // REDUCTION, use_bias=False), nn.Activation("relu"))
            self.se.add(nn.Dense(channels, use_bias=False), nn.Activation("sigmoid"))
            self.downsample = None
            if downsample:
                self.downsample = nn.HybridSequential(prefix="")
                self.downsample.add(nn.Conv2D(channels, 1, stride, use_bias=False), nn.BatchNorm())

        def hybrid_forward(self, F, x):
            residual = self.downsample(x) if self.downsample else x
            x = self.body(x)
            w = F.contrib.AdaptiveAvgPooling2D(x, output_size=1)
            w = self.se(w)
            x = F.broadcast_mul(x, w.expand_dims(axis=2).expand_dims(axis=2))
            return F.Activation(x + residual, act_type="relu")

    net = nn.HybridSequential()
    net.add(nn.Conv2D(STEM, 7, 2, 3, use_bias=False), nn.BatchNorm(), nn.Activation("relu"), nn.MaxPool2D(3, 2, 1))
    width = STEM
    for number, (blocks, channels) in enumerate(STAGES):
        for block in range(blocks):
            net.add(SEBlock(channels, 1 + (number > 0 and block == 0), channels != width))
            width = channels
    net.add(nn.GlobalAvgPool2D(), nn.Dense(CLASSES))
    return net


def torch_model():
    import torch
    from torch import nn

    class Squeeze(nn.Module):
        """1x1 convolutions do what dense layers do."""

        def __init__(self, channels):
            super().__init__()
            self.down = nn.Linear(channels, channels // REDUCTION, bias=False)
            self.up = nn.Linear(channels // REDUCTION, channels, bias=False)

        def forward(self, x):
            n, c = x.shape[:2]
            gate = torch.sigmoid(self.up(torch.relu(self.down(x.mean((2, 3))))))
            return x * gate.view(n, c, 1, 1)

    class Block(nn.Module):
        def __init__(self, cin, cout, stride):
            super().__init__()
            self.residual = nn.Sequential(
                nn.Conv2d(cin, cout, 3, stride, 1, bias=False),
                nn.BatchNorm2d(cout),
                nn.ReLU(),
                nn.Conv2d(cout, cout, 3, 1, 1, bias=False),
                nn.BatchNorm2d(cout),
                Squeeze(cout),
            )
            self.identity = nn.Identity()
            if cin != cout:
                self.identity = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

        def forward(self, x):
            return torch.relu(self.identity(x) + self.residual(x))

    class SENet(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(
                nn.Conv2d(3, STEM, 7, 2, 3, bias=False), nn.BatchNorm2d(STEM), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
            )
            blocks, cin = [], STEM
            for number, (repeats, cout) in enumerate(STAGES):
                for block in range(repeats):
                    blocks.append(Block(cin, cout, 2 if number and not block else 1))
                    cin = cout
            self.blocks = nn.Sequential(*blocks)
            self.logits = nn.Linear(cin, CLASSES)

        def forward(self, x):
            return self.logits(self.blocks(self.stem(x)).mean((2, 3)))

    return SENet()


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
