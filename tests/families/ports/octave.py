"""Octave convolutions: part of the channels live at half the size, and both parts feed each other."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, CLASSES, WIDTHS, ALPHA = (224, 1000, (64, 128, 256, 512), 0.5) if FULL else (32, 5, (8, 12), 0.5)


def mxnet_model():
    from mxnet.gluon import nn

    class OctConv(nn.HybridBlock):
        """From (high, low) to (high, low); either may be missing."""

        def __init__(self, channels, stride=1, has_low=True, gives_low=True, **kwargs):
            super().__init__(**kwargs)
            self.stride, self.has_low, self.gives_low = stride, has_low, gives_low
            low = int(channels * ALPHA) if gives_low else 0
            with self.name_scope():
                self.h2h = nn.Conv2D(channels - low, 3, 1, 1, use_bias=False, prefix="h2h_")
                self.h2l = nn.Conv2D(low, 3, 1, 1, use_bias=False, prefix="h2l_") if gives_low else None
                self.l2h = nn.Conv2D(channels - low, 3, 1, 1, use_bias=False, prefix="l2h_") if has_low else None
                both = has_low and gives_low
                self.l2l = nn.Conv2D(low, 3, 1, 1, use_bias=False, prefix="l2l_") if both else None
                self.bn_h = nn.BatchNorm()
                self.bn_l = nn.BatchNorm() if gives_low else None

        def hybrid_forward(self, F, high, low=None):
            if self.stride == 2:
                high = F.Pooling(high, kernel=(2, 2), stride=(2, 2), pool_type="avg")
            out_h = self.h2h(high)
            if self.has_low:
                if self.stride == 2:
                    low = F.Pooling(low, kernel=(2, 2), stride=(2, 2), pool_type="avg")
                out_h = out_h + F.UpSampling(self.l2h(low), scale=2, sample_type="nearest")
            out_h = F.relu(self.bn_h(out_h))
            if not self.gives_low:
                return out_h
            out_l = self.h2l(F.Pooling(high, kernel=(2, 2), stride=(2, 2), pool_type="avg"))
            if self.has_low:
                out_l = out_l + self.l2l(low)
            return out_h, F.relu(self.bn_l(out_l))

    class OctNet(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.first = OctConv(WIDTHS[0], 2, has_low=False)
                self.middle = nn.HybridSequential()
                for width in WIDTHS:
                    self.middle.add(OctConv(width, 1), OctConv(width, 2))
                self.last = OctConv(WIDTHS[-1], 1, gives_low=False)
                self.out = nn.Dense(CLASSES)

        def hybrid_forward(self, F, x):
            high, low = self.first(x)
            for layer in self.middle._children.values():
                high, low = layer(high, low)
            return self.out(F.mean(self.last(high, low), axis=(2, 3)))

    return OctNet()


def torch_model():
    import torch
    from torch import nn
    from torch.nn import functional as F

    class OctaveConv(nn.Module):
        def __init__(self, cin, cout, stride=1, alphas=(ALPHA, ALPHA)):
            super().__init__()
            low_in, low_out = int(cin * alphas[0]), int(cout * alphas[1])
            self.stride = stride
            self.down = nn.AvgPool2d(2)
            self.high = nn.Conv2d(cin - low_in, cout - low_out, 3, padding=1, bias=False)
            self.to_low = nn.Conv2d(cin - low_in, low_out, 3, padding=1, bias=False) if low_out else None
            self.to_high = nn.Conv2d(low_in, cout - low_out, 3, padding=1, bias=False) if low_in else None
            self.low = nn.Conv2d(low_in, low_out, 3, padding=1, bias=False) if low_in and low_out else None
            self.norm_high = nn.BatchNorm2d(cout - low_out)
            self.norm_low = nn.BatchNorm2d(low_out) if low_out else None

        def forward(self, pair):
            high, low = pair
            if self.stride == 2:
                high, low = self.down(high), None if low is None else self.down(low)
            new_high = self.high(high)
            if low is not None:
                new_high = new_high + F.interpolate(self.to_high(low), scale_factor=2, mode="nearest")
            new_low = None
            if self.to_low is not None:
                new_low = self.to_low(self.down(high))
                if low is not None:
                    new_low = new_low + self.low(low)
                new_low = torch.relu(self.norm_low(new_low))
            return torch.relu(self.norm_high(new_high)), new_low

    class OctaveNet(nn.Module):
        def __init__(self):
            super().__init__()
            layers, cin = [OctaveConv(3, WIDTHS[0], 2, (0, ALPHA))], WIDTHS[0]
            for width in WIDTHS:
                layers += [OctaveConv(cin, width), OctaveConv(width, width, 2)]
                cin = width
            self.layers = nn.Sequential(*layers, OctaveConv(cin, cin, 1, (ALPHA, 0)))
            self.fc = nn.Linear(cin, CLASSES)

        def forward(self, x):
            high, _ = self.layers((x, None))
            return self.fc(high.mean((2, 3)))

    return OctaveNet()


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
