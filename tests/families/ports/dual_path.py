"""Dual path network: each block adds to a residual path and appends to a dense one."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, CLASSES, STEM, GROUPS = (224, 1000, 64, 32) if FULL else (32, 5, 8, 2)
#        blocks, inner, residual, growth
STAGES = ((3, 96, 256, 16), (4, 192, 512, 32), (20, 384, 1024, 24), (3, 768, 2048, 128))
STAGES = STAGES if FULL else ((2, 8, 10, 2), (2, 12, 14, 4))


def mxnet_model():
    from mxnet.gluon import nn

    class PreConv(nn.HybridSequential):
        def __init__(self, channels, kernel, strides=1, groups=1, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.add(nn.BatchNorm(), nn.Activation("relu"))
                self.add(nn.Conv2D(channels, kernel, strides, kernel // 2, groups=groups, use_bias=False))

    class DPNUnit(nn.HybridBlock):
        def __init__(self, inner, bw, inc, strides, project, **kwargs):
            super().__init__(**kwargs)
            self.bw, self.inc = bw, inc
            with self.name_scope():
                self.proj = PreConv(bw + 2 * inc, 1, strides) if project else None
                self.conv1 = PreConv(inner, 1)
                self.conv2 = PreConv(inner, 3, strides, GROUPS)
                self.conv3 = PreConv(bw + inc, 1)

        def hybrid_forward(self, F, x1, x2=None):
            x_in = x1 if x2 is None else F.concat(x1, x2, dim=1)
            if self.proj:
                x_s = self.proj(x_in)
                x1 = F.slice_axis(x_s, axis=1, begin=0, end=self.bw)
                x2 = F.slice_axis(x_s, axis=1, begin=self.bw, end=self.bw + 2 * self.inc)
            x_in = self.conv3(self.conv2(self.conv1(x_in)))
            y1 = F.slice_axis(x_in, axis=1, begin=0, end=self.bw)
            y2 = F.slice_axis(x_in, axis=1, begin=self.bw, end=self.bw + self.inc)
            return x1 + y1, F.concat(x2, y2, dim=1)

    class DPN(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.init = nn.HybridSequential()
                self.init.add(nn.Conv2D(STEM, 7, 2, 3, use_bias=False), nn.BatchNorm(), nn.Activation("relu"))
                self.init.add(nn.MaxPool2D(3, 2, 1))
                self.units = nn.HybridSequential()
                for stage, (blocks, inner, bw, inc) in enumerate(STAGES):
                    for block in range(blocks):
                        self.units.add(DPNUnit(inner, bw, inc, 2 if stage and not block else 1, not block))
                self.norm = nn.BatchNorm()
                self.output = nn.Dense(CLASSES)

        def hybrid_forward(self, F, x):
            x = (self.init(x),)
            for unit in self.units._children.values():
                x = unit(*x)
            x = F.relu(self.norm(F.concat(*x, dim=1)))
            return self.output(F.contrib.AdaptiveAvgPooling2D(x, output_size=1))

    return DPN()


def torch_model():
    import torch
    from torch import nn

    class BnActConv2d(nn.Module):
        def __init__(self, cin, cout, size, stride=1, groups=1):
            super().__init__()
            self.bn = nn.BatchNorm2d(cin)
            self.act = nn.ReLU()
            self.conv = nn.Conv2d(cin, cout, size, stride, size // 2, groups=groups, bias=False)

        def forward(self, x):
            return self.conv(self.act(self.bn(x)))

    class DualPathBlock(nn.Module):
        def __init__(self, cin, inner, residual, growth, stride, project):
            super().__init__()
            self.residual = residual
            if project:
                self.c1x1_w = BnActConv2d(cin, residual + 2 * growth, 1, stride)
            self.c1x1_a = BnActConv2d(cin, inner, 1)
            self.c3x3_b = BnActConv2d(inner, inner, 3, stride, GROUPS)
            self.c1x1_c = BnActConv2d(inner, residual + growth, 1)

        def forward(self, x):
            shortcut = self.c1x1_w(x) if hasattr(self, "c1x1_w") else x
            new = self.c1x1_c(self.c3x3_b(self.c1x1_a(x)))
            r = self.residual
            return torch.cat([shortcut[:, :r] + new[:, :r], shortcut[:, r:], new[:, r:]], dim=1)

    blocks, cin = [], STEM
    for stage, (repeats, inner, residual, growth) in enumerate(STAGES):
        for number in range(repeats):
            stride = 2 if stage > 0 and number == 0 else 1
            blocks.append(DualPathBlock(cin, inner, residual, growth, stride, number == 0))
            cin = residual + growth * (number + 3)
    first = nn.Conv2d(3, STEM, 7, 2, 3, bias=False)
    stem = nn.Sequential(first, nn.BatchNorm2d(STEM), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
    end = nn.Sequential(nn.BatchNorm2d(cin), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(cin, CLASSES))
    return nn.Sequential(stem, nn.Sequential(*blocks), end)


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
