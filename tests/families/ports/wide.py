"""Wide ResNet: few, broad blocks with dropout between their convolutions."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, CLASSES, BASE, WIDEN, BLOCKS = (32, 100, 16, 10, 4) if FULL else (16, 5, 2, 3, 1)


def mxnet_model():
    from mxnet.gluon import nn

    class WideBlock(nn.HybridBlock):
        def __init__(self, width, stride, project, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.bn1 = nn.BatchNorm(epsilon=1e-5)
                self.conv1 = nn.Conv2D(width, 3, strides=stride, padding=1, use_bias=False)
                self.bn2 = nn.BatchNorm(epsilon=1e-5)
                self.drop = nn.Dropout(0.3)
                self.conv2 = nn.Conv2D(width, 3, padding=1, use_bias=False)
                self.project = nn.Conv2D(width, 1, strides=stride, use_bias=False) if project else None

        def hybrid_forward(self, F, x):
            active = F.relu(self.bn1(x))
            y = self.conv2(self.drop(F.relu(self.bn2(self.conv1(active)))))
            return y + (self.project(active) if self.project else x)

    net = nn.HybridSequential()
    net.add(nn.Conv2D(BASE, 3, padding=1, use_bias=False))
    for stage in range(3):
        for block in range(BLOCKS):
            net.add(WideBlock(BASE * WIDEN * 2**stage, 2 if stage and not block else 1, not block))
    net.add(nn.BatchNorm(), nn.Activation("relu"), nn.AvgPool2D(PIXELS // 4), nn.Dense(CLASSES))
    return net


def torch_model():
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self, cin, cout, stride):
            super().__init__()
            self.relu = nn.ReLU()
            self.norms = nn.ModuleList([nn.BatchNorm2d(cin), nn.BatchNorm2d(cout)])
            self.convs = nn.ModuleList(
                [nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.Conv2d(cout, cout, 3, 1, 1, bias=False)]
            )
            self.dropout = nn.Dropout(p=0.3)
            self.shortcut = nn.Conv2d(cin, cout, 1, stride, bias=False) if cin != cout else nn.Identity()

        def forward(self, x):
            out = self.relu(self.norms[0](x))
            skip = self.shortcut(out) if isinstance(self.shortcut, nn.Conv2d) else x
            out = self.dropout(self.relu(self.norms[1](self.convs[0](out))))
            return torch.add(self.convs[1](out), skip)

    class WideResNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv2d(3, BASE, 3, padding=1, bias=False)
            blocks, cin = [], BASE
            for stage, factor in enumerate((1, 2, 4)):
                for number in range(BLOCKS):
                    stride = 2 if stage > 0 and number == 0 else 1
                    blocks.append(Block(cin, factor * BASE * WIDEN, stride))
                    cin = factor * BASE * WIDEN
            self.blocks = nn.Sequential(*blocks)
            self.last = nn.Sequential(nn.BatchNorm2d(cin), nn.ReLU())
            self.linear = nn.Linear(cin, CLASSES)

        def forward(self, x):
            return self.linear(self.last(self.blocks(self.first(x))).mean(dim=(2, 3)))

    return WideResNet()


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
