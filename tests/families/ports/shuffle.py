"""ShuffleNet version 1: grouped 1x1 convolutions and an exchange of channels between the groups."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, CLASSES, STEM, GROUPS = (224, 1000, 24, 3) if FULL else (32, 5, 4, 2)
STAGES = ((4, 240), (8, 480), (4, 960)) if FULL else ((2, 16), (2, 32))


def mxnet_model():
    from mxnet.gluon import nn

    class ShuffleUnit(nn.HybridBlock):
        def __init__(self, in_channels, out_channels, downsample, ignore_group, **kwargs):
            super().__init__(**kwargs)
            self.downsample = downsample
            mid = out_channels // 4
            if downsample:
                out_channels -= in_channels
            with self.name_scope():
                self.compress = nn.Conv2D(mid, 1, groups=1 if ignore_group else GROUPS, use_bias=False)
                self.compress_bn = nn.BatchNorm(in_channels=mid)
                self.dw = nn.Conv2D(mid, 3, 2 if downsample else 1, 1, groups=mid, use_bias=False)
                self.dw_bn = nn.BatchNorm(in_channels=mid)
                self.expand = nn.Conv2D(out_channels, 1, groups=GROUPS, use_bias=False)
                self.expand_bn = nn.BatchNorm(in_channels=out_channels)
                if downsample:
                    self.avgpool = nn.AvgPool2D(3, 2, 1)
                self.activ = nn.Activation("relu")

        def hybrid_forward(self, F, x):
            identity = x
            x = self.activ(self.compress_bn(self.compress(x)))
            x = F.reshape(x, shape=(0, -4, GROUPS, -1, -2))
            x = F.reshape(F.swapaxes(x, dim1=1, dim2=2), shape=(0, -3, -2))
            x = self.expand_bn(self.expand(self.dw_bn(self.dw(x))))
            x = F.concat(x, self.avgpool(identity), dim=1) if self.downsample else x + identity
            return self.activ(x)

    net = nn.HybridSequential()
    net.add(nn.Conv2D(STEM, 3, 2, 1, use_bias=False), nn.BatchNorm(), nn.Activation("relu"), nn.MaxPool2D(3, 2, 1))
    width = STEM
    for stage, (units, channels) in enumerate(STAGES):
        for unit in range(units):
            net.add(ShuffleUnit(width, channels, unit == 0, stage == 0 and unit == 0))
            width = channels
    net.add(nn.GlobalAvgPool2D(), nn.Flatten(), nn.Dense(CLASSES))
    return net


def torch_model():
    import torch
    from torch import nn

    def channel_shuffle(x, groups):
        n, c, h, w = x.size()
        return x.view(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)

    class Unit(nn.Module):
        def __init__(self, cin, cout, stride, first_groups):
            super().__init__()
            self.stride, mid = stride, cout // 4
            grown = cout - cin if stride == 2 else cout
            self.gconv1 = nn.Conv2d(cin, mid, 1, groups=first_groups, bias=False)
            self.bn1 = nn.BatchNorm2d(mid)
            self.dwconv = nn.Conv2d(mid, mid, 3, stride, padding=1, groups=mid, bias=False)
            self.bn2 = nn.BatchNorm2d(mid)
            self.gconv2 = nn.Conv2d(mid, grown, 1, groups=GROUPS, bias=False)
            self.bn3 = nn.BatchNorm2d(grown)
            self.pool = nn.AvgPool2d(3, stride=2, padding=1)

        def forward(self, x):
            out = torch.relu(self.bn1(self.gconv1(x)))
            out = self.bn2(self.dwconv(channel_shuffle(out, GROUPS)))
            out = self.bn3(self.gconv2(out))
            out = torch.cat([out, self.pool(x)], dim=1) if self.stride == 2 else out + x
            return torch.relu(out)

    class ShuffleNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.init_block = nn.Sequential(
                nn.Conv2d(3, STEM, 3, 2, 1, bias=False), nn.BatchNorm2d(STEM), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
            )
            self.stages = nn.Sequential()
            cin = STEM
            for units, cout in STAGES:
                for number in range(units):
                    self.stages.append(Unit(cin, cout, 1 if number else 2, GROUPS if len(self.stages) else 1))
                    cin = cout
            self.output = nn.Linear(cin, CLASSES)

        def forward(self, x):
            x = self.stages(self.init_block(x))
            return self.output(x.mean(dim=[2, 3]))

    return ShuffleNet()


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
