"""U-Net: down by pooling, up by transposed convolutions, with what was seen on the way down beside it."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, WIDTHS, CLASSES = (256, (32, 64, 128, 256, 512), 21) if FULL else (16, (4, 6, 8), 3)


def mxnet_model():
    from mxnet.gluon import nn

    def double(channels):
        out = nn.HybridSequential()
        for _ in range(2):
            out.add(nn.Conv2D(channels, 3, padding=1), nn.BatchNorm(), nn.Activation("relu"))
        return out

    class UNet(nn.HybridBlock):
        def __init__(self, level, **kwargs):
            super().__init__(**kwargs)
            self.deepest = level == len(WIDTHS) - 1
            with self.name_scope():
                self.down = double(WIDTHS[level])
                if not self.deepest:
                    self.inner = UNet(level + 1)
                    self.up = nn.Conv2DTranspose(WIDTHS[level], 2, strides=2)
                    self.merge = double(WIDTHS[level])

        def hybrid_forward(self, F, x):
            x = self.down(x)
            if self.deepest:
                return x
            y = self.up(self.inner(F.Pooling(x, kernel=(2, 2), stride=(2, 2), pool_type="max")))
            return self.merge(F.concat(x, y, dim=1))

    net = nn.HybridSequential()
    net.add(UNet(0), nn.Conv2D(CLASSES, 1))
    net.hybridize()
    return net


def torch_model():
    import torch
    from torch import nn

    class DoubleConv(nn.Sequential):
        def __init__(self, cin, cout):
            layers = [nn.Conv2d(cin, cout, 3, padding=1), nn.BatchNorm2d(cout), nn.ReLU(inplace=True)]
            super().__init__(*layers, nn.Conv2d(cout, cout, 3, padding=1), nn.BatchNorm2d(cout), nn.ReLU(inplace=True))

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            widths = [3, *WIDTHS]
            self.encoders = nn.ModuleList(DoubleConv(a, b) for a, b in zip(widths, widths[1:]))
            pairs = list(zip(WIDTHS[:0:-1], WIDTHS[-2::-1]))
            self.ups = nn.ModuleList(nn.ConvTranspose2d(a, b, kernel_size=2, stride=2) for a, b in pairs)
            self.decoders = nn.ModuleList(DoubleConv(2 * b, b) for _, b in pairs)
            self.pool = nn.MaxPool2d(2)
            self.head = nn.Conv2d(WIDTHS[0], CLASSES, 1)

        def forward(self, x):
            seen = []
            for number, encoder in enumerate(self.encoders):
                x = encoder(self.pool(x) if number else x)
                seen.append(x)
            seen.pop()
            for up, decoder in zip(self.ups, self.decoders):
                x = decoder(torch.cat([seen.pop(), up(x)], dim=1))
            return self.head(x)

    return UNet()


def inputs(rng):
    return rng.standard_normal((2, 3, PIXELS, PIXELS))


def targets(rng):
    return rng.integers(0, CLASSES, (2, PIXELS, PIXELS))


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.SoftmaxCrossEntropyLoss(axis=1)(output, targets)


def torch_loss(output, targets):
    from torch.nn import functional

    return functional.cross_entropy(output, targets)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.01, "momentum": 0.9, "wd": 5e-4})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
