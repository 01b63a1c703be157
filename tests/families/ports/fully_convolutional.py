"""A fully convolutional network: a decoder, an auxiliary head resized bilinearly, weighted loss of both."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, WIDTH, CLASSES = (224, 64, 21) if FULL else (16, 4, 3)


def mxnet_model():
    from mxnet.gluon import nn

    class FCN(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.base = nn.HybridSequential()
                for i in range(3):
                    self.base.add(nn.Conv2D(WIDTH * (i + 1), 3, 2, 1, use_bias=False))
                    self.base.add(nn.BatchNorm(), nn.Activation("relu"))
                self.dilated = nn.Conv2D(WIDTH, 3, padding=2, dilation=2, activation="relu")
                self.up = nn.Conv2DTranspose(CLASSES, kernel_size=16, strides=8, padding=4)
                self.auxiliary = nn.HybridSequential()
                self.auxiliary.add(nn.Conv2D(WIDTH, 3, padding=1, use_bias=False), nn.BatchNorm())
                self.auxiliary.add(nn.Activation("relu"), nn.Dropout(0.1), nn.Conv2D(CLASSES, 1))

        def hybrid_forward(self, F, x):
            x = self.base(x)
            auxout = F.contrib.BilinearResize2D(self.auxiliary(x), height=PIXELS, width=PIXELS)
            return self.up(self.dilated(x)), auxout

    return FCN()


def torch_model():
    from torch import nn
    from torch.nn import functional as F

    def conv_bn(cin, cout, stride):
        return nn.Sequential(nn.Conv2d(cin, cout, 3, stride, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU())

    class FCN(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = nn.Sequential(*[conv_bn(i * WIDTH or 3, (i + 1) * WIDTH, 2) for i in range(3)])
            self.context = nn.Conv2d(3 * WIDTH, WIDTH, 3, padding=2, dilation=2)
            self.upsample = nn.ConvTranspose2d(WIDTH, CLASSES, 16, stride=8, padding=4)
            self.aux_classifier = nn.Sequential(
                conv_bn(3 * WIDTH, WIDTH, 1), nn.Dropout(0.1), nn.Conv2d(WIDTH, CLASSES, 1)
            )

        def forward(self, images):
            features = self.backbone(images)
            aux = self.aux_classifier(features)
            aux = F.interpolate(aux, size=images.shape[-2:], mode="bilinear", align_corners=True)
            return self.upsample(F.relu(self.context(features))), aux

    return FCN()


def inputs(rng):
    return rng.standard_normal((2, 3, PIXELS, PIXELS))


def targets(rng):
    return rng.integers(0, CLASSES, (2, PIXELS, PIXELS))


def mxnet_loss(output, targets):
    from mxnet import gluon

    loss = gluon.loss.SoftmaxCrossEntropyLoss(axis=1)
    return loss(output[0], targets) + 0.5 * loss(output[1], targets)


def torch_loss(output, targets):
    from torch.nn import functional

    main, auxiliary = (functional.cross_entropy(one, targets) for one in output)
    return main + 0.5 * auxiliary


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.01, "momentum": 0.9, "wd": 5e-4})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
