"""HRNet: branches of several resolutions side by side, each fed by all others."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, CLASSES, WIDTHS, MODULES = (224, 17, (32, 64, 128), 2) if FULL else (32, 3, (4, 6, 8), 1)


def mxnet_model():
    from mxnet.gluon import nn

    def conv(channels, kernel, stride=1, active=True):
        out = nn.HybridSequential()
        out.add(nn.Conv2D(channels, kernel, stride, kernel // 2, use_bias=False), nn.BatchNorm())
        if active:
            out.add(nn.Activation("relu"))
        return out

    class Fuse(nn.HybridBlock):
        def __init__(self, i, j, **kwargs):
            super().__init__(**kwargs)
            self.factor = 2 ** (j - i) if j > i else 1
            with self.name_scope():
                self.body = nn.HybridSequential()
                if j > i:
                    self.body.add(conv(WIDTHS[i], 1, active=False))
                for k in range(i - j):
                    last = k == i - j - 1
                    self.body.add(conv(WIDTHS[i] if last else WIDTHS[j], 3, 2, active=not last))

        def hybrid_forward(self, F, x):
            x = self.body(x)
            return F.UpSampling(x, scale=self.factor, sample_type="nearest") if self.factor > 1 else x

    class Module(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.branches, self.fuses = nn.HybridSequential(), nn.HybridSequential()
                for i, width in enumerate(WIDTHS):
                    self.branches.add(conv(width, 3))
                    for j in range(len(WIDTHS)):
                        self.fuses.add(Fuse(i, j))

        def hybrid_forward(self, F, *xs):
            xs = [branch(x) for branch, x in zip(self.branches._children.values(), xs)]
            fuses = list(self.fuses._children.values())
            n = len(xs)
            return [F.relu(F.add_n(*[fuses[i * n + j](xs[j]) for j in range(n)])) for i in range(n)]

    class HRNet(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.stem = nn.HybridSequential()
                self.stem.add(conv(WIDTHS[0], 3, 2), conv(WIDTHS[0], 3, 2))
                self.transitions = nn.HybridSequential()
                for width in WIDTHS[1:]:
                    self.transitions.add(conv(width, 3, 2))
                self.modules = nn.HybridSequential()
                for _ in range(MODULES):
                    self.modules.add(Module())
                self.final = nn.Conv2D(CLASSES, 1)

        def hybrid_forward(self, F, x):
            xs = [self.stem(x)]
            for transition in self.transitions._children.values():
                xs.append(transition(xs[-1]))
            for module in self.modules._children.values():
                xs = module(*xs)
            ups = [F.UpSampling(x, scale=2**i, sample_type="nearest") for i, x in enumerate(xs[1:], 1)]
            return self.final(F.concat(xs[0], *ups, dim=1))

    return HRNet()


def torch_model():
    import torch
    from torch import nn
    from torch.nn import functional as F

    class ConvBN(nn.Sequential):
        def __init__(self, cin, cout, kernel, stride=1):
            super().__init__(nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(cout))

    def fuse(i, j):
        if j == i:
            return nn.Identity()
        if j > i:
            return nn.Sequential(ConvBN(WIDTHS[j], WIDTHS[i], 1), nn.Upsample(scale_factor=2 ** (j - i)))
        steps = []
        for _ in range(i - j - 1):
            steps += [ConvBN(WIDTHS[j], WIDTHS[j], 3, 2), nn.ReLU()]
        return nn.Sequential(*steps, ConvBN(WIDTHS[j], WIDTHS[i], 3, 2))

    class Exchange(nn.Module):
        def __init__(self):
            super().__init__()
            ids = range(len(WIDTHS))
            self.branches = nn.ModuleList(ConvBN(width, width, 3) for width in WIDTHS)
            self.fuse_layers = nn.ModuleList(nn.ModuleList(fuse(i, j) for j in ids) for i in ids)

        def forward(self, xs):
            xs = [F.relu(branch(x)) for branch, x in zip(self.branches, xs)]
            return [F.relu(sum(layer(x) for layer, x in zip(layers, xs))) for layers in self.fuse_layers]

    class HRNet(nn.Module):
        def __init__(self):
            super().__init__()
            first, second = ConvBN(3, WIDTHS[0], 3, 2), ConvBN(WIDTHS[0], WIDTHS[0], 3, 2)
            self.stem = nn.Sequential(first, nn.ReLU(), second, nn.ReLU())
            self.transitions = nn.ModuleList(ConvBN(a, b, 3, 2) for a, b in zip(WIDTHS, WIDTHS[1:]))
            self.exchanges = nn.ModuleList(Exchange() for _ in range(MODULES))
            self.head = nn.Conv2d(sum(WIDTHS), CLASSES, 1)

        def forward(self, x):
            xs = [self.stem(x)]
            for transition in self.transitions:
                xs.append(F.relu(transition(xs[-1])))
            for exchange in self.exchanges:
                xs = exchange(xs)
            return self.head(torch.cat([F.interpolate(x, size=xs[0].shape[2:]) for x in xs], dim=1))

    return HRNet()


def inputs(rng):
    return rng.standard_normal((2, 3, PIXELS, PIXELS))


def targets(rng):
    return rng.standard_normal((2, CLASSES, PIXELS // 4, PIXELS // 4))


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.L2Loss()(output, targets)


def torch_loss(output, targets):
    return ((output - targets) ** 2).mean() / 2


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.01, "momentum": 0.9, "wd": 5e-4})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
