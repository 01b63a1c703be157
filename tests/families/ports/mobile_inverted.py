"""MobileNet version 2: inverted residuals with ReLU6, no activation at their ends."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, CLASSES, STEM, LAST = (224, 1000, 32, 1280) if FULL else (32, 5, 4, 16)
#         expansion, channels, repeats, stride
SETTINGS = (
    ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    if FULL
    else ((1, 4, 1, 1), (3, 6, 2, 2), (2, 8, 2, 1))
)


def mxnet_model():
    from mxnet.gluon import nn

    class RELU6(nn.HybridBlock):
        def hybrid_forward(self, F, x):
            return F.clip(x, 0, 6, name="relu6")

    def add_conv(out, channels=1, kernel=1, stride=1, pad=0, num_group=1, active=True):
        out.add(nn.Conv2D(channels, kernel, stride, pad, groups=num_group, use_bias=False))
        out.add(nn.BatchNorm(scale=True))
        if active:
            out.add(RELU6())

    class LinearBottleneck(nn.HybridBlock):
        def __init__(self, in_channels, channels, t, stride, **kwargs):
            super().__init__(**kwargs)
            self.use_shortcut = stride == 1 and in_channels == channels
            with self.name_scope():
                self.out = nn.HybridSequential()
                if t != 1:
                    add_conv(self.out, in_channels * t)
                add_conv(self.out, in_channels * t, kernel=3, stride=stride, pad=1, num_group=in_channels * t)
                add_conv(self.out, channels, active=False)

        def hybrid_forward(self, F, x):
            out = self.out(x)
            if self.use_shortcut:
                out = F.elemwise_add(out, x)
            return out

    net = nn.HybridSequential()
    add_conv(net, STEM, kernel=3, stride=2, pad=1)
    width = STEM
    for t, channels, repeats, stride in SETTINGS:
        for i in range(repeats):
            net.add(LinearBottleneck(width, channels, t, 1 if i else stride))
            width = channels
    add_conv(net, LAST)
    net.add(nn.GlobalAvgPool2D(), nn.Conv2D(CLASSES, 1, use_bias=False, prefix="pred_"), nn.Flatten())
    return net


def torch_model():
    from torch import nn

    class ConvBNReLU(nn.Sequential):
        def __init__(self, cin, cout, kernel_size=3, stride=1, groups=1):
            super().__init__(
                nn.Conv2d(cin, cout, kernel_size, stride, (kernel_size - 1) // 2, groups=groups, bias=False),
                nn.BatchNorm2d(cout),
                nn.ReLU6(inplace=True),
            )

    class InvertedResidual(nn.Module):
        def __init__(self, cin, cout, stride, ratio):
            super().__init__()
            hidden = cin * ratio
            layers = [] if ratio == 1 else [ConvBNReLU(cin, hidden, kernel_size=1)]
            layers.append(ConvBNReLU(hidden, hidden, stride=stride, groups=hidden))
            layers += [nn.Conv2d(hidden, cout, 1, bias=False), nn.BatchNorm2d(cout)]
            self.conv = nn.Sequential(*layers)
            self.use_res_connect = stride == 1 and cin == cout

        def forward(self, x):
            return x + self.conv(x) if self.use_res_connect else self.conv(x)

    class MobileNetV2(nn.Module):
        def __init__(self):
            super().__init__()
            features, cin = [ConvBNReLU(3, STEM, stride=2)], STEM
            for ratio, cout, n, stride in SETTINGS:
                features += [InvertedResidual(cout if i else cin, cout, 1 if i else stride, ratio) for i in range(n)]
                cin = cout
            self.features = nn.Sequential(*features, ConvBNReLU(cin, LAST, kernel_size=1))
            self.classifier = nn.Linear(LAST, CLASSES, bias=False)

        def forward(self, x):
            return self.classifier(self.features(x).mean([2, 3]))

    return MobileNetV2()


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

    return gluon.Trainer(model.collect_params(), "adam", {"learning_rate": 1e-3, "wd": 1e-4})


def torch_optimizer(model):
    import torch

    return torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-4)
