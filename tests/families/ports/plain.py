"""VGG with batch normalization: convolutions in a row, and two dense layers with dropout."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, HIDDEN, CLASSES = (224, 4096, 1000) if FULL else (32, 24, 5)
STAGES = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512)) if FULL else ((1, 4), (1, 6), (2, 8))


def mxnet_model():
    from mxnet.gluon import nn

    class VGG(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.features = nn.HybridSequential()
                for repeats, channels in STAGES:
                    for _ in range(repeats):
                        self.features.add(nn.Conv2D(channels, kernel_size=3, padding=1))
                        self.features.add(nn.BatchNorm())
                        self.features.add(nn.Activation("relu"))
                    self.features.add(nn.MaxPool2D(strides=2))
                for _ in range(2):
                    self.features.add(nn.Dense(HIDDEN, activation="relu", weight_initializer="normal"))
                    self.features.add(nn.Dropout(rate=0.5))
                self.output = nn.Dense(CLASSES)

        def hybrid_forward(self, F, x):
            return self.output(self.features(x))

    net = VGG()
    net.hybridize()
    return net


def torch_model():
    from torch import nn

    def stage(incoming, outgoing, repeats):
        layers = []
        for _ in range(repeats):
            layers += [nn.Conv2d(incoming, outgoing, 3, padding=1), nn.BatchNorm2d(outgoing), nn.ReLU(inplace=True)]
            incoming = outgoing
        return nn.Sequential(*layers, nn.MaxPool2d(2, 2))

    class VGG(nn.Module):
        def __init__(self):
            super().__init__()
            widths = [3] + [width for _, width in STAGES]
            self.stages = nn.ModuleList(stage(widths[i], widths[i + 1], n) for i, (n, _) in enumerate(STAGES))
            side = PIXELS // 2 ** len(STAGES)
            self.classifier = nn.Sequential(
                nn.Linear(widths[-1] * side * side, HIDDEN),
                nn.ReLU(inplace=True),
                nn.Dropout(0.5),
                nn.Linear(HIDDEN, HIDDEN),
                nn.ReLU(inplace=True),
                nn.Dropout(0.5),
                nn.Linear(HIDDEN, CLASSES),
            )

        def forward(self, images):
            for module in self.stages:
                images = module(images)
            return self.classifier(images.flatten(1))

    return VGG()


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
