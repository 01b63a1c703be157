"""MobileNet version 3: inverted residuals with hard-swish and squeeze-and-excitation by a hard sigmoid."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, CLASSES, STEM, LAST, HIDDEN = (224, 1000, 16, 576, 1024) if FULL else (32, 5, 4, 24, 16)
#         kernel, expanded, out, excited, hard-swish, stride
LAYERS = (
    (
        (3, 16, 16, True, False, 2),
        (3, 72, 24, False, False, 2),
        (3, 88, 24, False, False, 1),
        (5, 96, 40, True, True, 2),
        *[(5, 240, 40, True, True, 1)] * 2,
        (5, 120, 48, True, True, 1),
        (5, 144, 48, True, True, 1),
        (5, 288, 96, True, True, 2),
        *[(5, 576, 96, True, True, 1)] * 2,
    )
    if FULL
    else ((3, 8, 4, True, False, 1), (5, 12, 8, False, True, 2), (5, 16, 8, True, True, 1))
)


def mxnet_model():
    from mxnet.gluon import nn

    class HardSigmoid(nn.HybridBlock):
        def hybrid_forward(self, F, x):
            return F.clip(x + 3.0, 0, 6) / 6.0

    class HardSwish(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.act = HardSigmoid()

        def hybrid_forward(self, F, x):
            return self.act(x) * x

    class SE(nn.HybridBlock):
        def __init__(self, num_out, ratio=4, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.pool = nn.GlobalAvgPool2D()
                self.fc1 = nn.Conv2D(num_out // ratio, 1, 1, 0)
                self.fc2 = nn.Conv2D(num_out, 1, 1, 0)
                self.gate = HardSigmoid()

        def hybrid_forward(self, F, x):
            out = F.relu(self.fc1(self.pool(x)))
            return F.broadcast_mul(x, self.gate(self.fc2(out)))

    class Unit(nn.HybridSequential):
        def __init__(self, out, kernel=1, stride=1, group=1, act=None, **kwargs):
            super().__init__(**kwargs)
            self.add(nn.Conv2D(out, kernel, stride, (kernel - 1) // 2, groups=group, use_bias=False), nn.BatchNorm())
            if act is not None:
                self.add(HardSwish() if act else nn.Activation("relu"))

    class ResUnit(nn.HybridBlock):
        def __init__(self, num_in, kernel, num_mid, num_out, use_se, act, stride, **kwargs):
            super().__init__(**kwargs)
            self.first = num_in == num_out and stride == 1
            with self.name_scope():
                self.expand = Unit(num_mid, act=act)
                self.conv = Unit(num_mid, kernel, stride, num_mid, act)
                self.se = SE(num_mid) if use_se else None
                self.linear = Unit(num_out)

        def hybrid_forward(self, F, x):
            out = self.conv(self.expand(x))
            if self.se:
                out = self.se(out)
            out = self.linear(out)
            return out + x if self.first else out

    net = nn.HybridSequential()
    net.add(Unit(STEM, 3, 2, act=True))
    width = STEM
    for kernel, mid, out, excited, swish, stride in LAYERS:
        net.add(ResUnit(width, kernel, mid, out, excited, swish, stride))
        width = out
    net.add(Unit(LAST, act=True), nn.GlobalAvgPool2D(), nn.Conv2D(HIDDEN, 1), HardSwish(), nn.Dropout(0.2))
    net.add(nn.Conv2D(CLASSES, 1), nn.Flatten())
    return net


def torch_model():
    from torch import nn
    from torch.nn import functional

    class SqueezeExcitation(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.avgpool = nn.AdaptiveAvgPool2d(1)
            self.fc1 = nn.Conv2d(channels, channels // 4, 1)
            self.fc2 = nn.Conv2d(channels // 4, channels, 1)

        def forward(self, x):
            scale = functional.hardsigmoid(self.fc2(functional.relu(self.fc1(self.avgpool(x)))))
            return scale * x

    def conv_norm(cin, cout, kernel, stride, groups, activation):
        layers = [nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(cout)]
        return layers + ([activation()] if activation else [])

    class InvertedResidual(nn.Module):
        def __init__(self, cin, kernel, expanded, cout, excited, swish, stride):
            super().__init__()
            activation = nn.Hardswish if swish else nn.ReLU
            layers = conv_norm(cin, expanded, 1, 1, 1, activation)
            layers += conv_norm(expanded, expanded, kernel, stride, expanded, activation)
            layers += [SqueezeExcitation(expanded)] if excited else []
            layers += conv_norm(expanded, cout, 1, 1, 1, None)
            self.block = nn.Sequential(*layers)
            self.residual = stride == 1 and cin == cout

        def forward(self, x):
            y = self.block(x)
            return y + x if self.residual else y

    class MobileNetV3(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(*conv_norm(3, STEM, 3, 2, 1, nn.Hardswish))
            widths = [STEM] + [layer[2] for layer in LAYERS]
            self.blocks = nn.ModuleList(InvertedResidual(width, *layer) for width, layer in zip(widths, LAYERS))
            self.head = nn.Sequential(*conv_norm(widths[-1], LAST, 1, 1, 1, nn.Hardswish))
            self.classifier = nn.Sequential(
                nn.Linear(LAST, HIDDEN), nn.Hardswish(), nn.Dropout(p=0.2), nn.Linear(HIDDEN, CLASSES)
            )

        def forward(self, x):
            x = self.stem(x)
            for block in self.blocks:
                x = block(x)
            return self.classifier(self.head(x).mean((2, 3)))

    return MobileNetV3()


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
