"""DenseNet: every layer sees the outputs of all before it; transitions halve width and size."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, CLASSES, STEM, GROWTH, FACTOR = (224, 1000, 64, 32, 4) if FULL else (32, 5, 6, 4, 2)
LAYERS = (6, 12, 24, 16) if FULL else (2, 3)


def mxnet_model():
    from mxnet.gluon import nn
    from mxnet.gluon.contrib.nn import HybridConcurrent, Identity

    def dense_layer():
        new = nn.HybridSequential(prefix="")
        new.add(nn.BatchNorm(), nn.Activation("relu"), nn.Conv2D(FACTOR * GROWTH, kernel_size=1, use_bias=False))
        new.add(nn.BatchNorm(), nn.Activation("relu"), nn.Conv2D(GROWTH, kernel_size=3, padding=1, use_bias=False))
        new.add(nn.Dropout(0.2))
        both = HybridConcurrent(axis=1, prefix="")
        both.add(Identity())
        both.add(new)
        return both

    net = nn.HybridSequential()
    net.add(nn.Conv2D(STEM, 7, 2, 3, use_bias=False), nn.BatchNorm(), nn.Activation("relu"), nn.MaxPool2D(3, 2, 1))
    width = STEM
    for stage, layers in enumerate(LAYERS):
        for _ in range(layers):
            net.add(dense_layer())
        width += layers * GROWTH
        if stage < len(LAYERS) - 1:
            width //= 2
            net.add(nn.BatchNorm(), nn.Activation("relu"), nn.Conv2D(width, 1, use_bias=False), nn.AvgPool2D(2, 2))
    net.add(nn.BatchNorm(), nn.Activation("relu"), nn.GlobalAvgPool2D(), nn.Flatten(), nn.Dense(CLASSES))
    return net


def torch_model():
    import torch
    from torch import nn
    from torch.nn import functional as F

    class DenseLayer(nn.Module):
        def __init__(self, cin):
            super().__init__()
            self.norm1 = nn.BatchNorm2d(cin)
            self.conv1 = nn.Conv2d(cin, FACTOR * GROWTH, kernel_size=1, bias=False)
            self.norm2 = nn.BatchNorm2d(FACTOR * GROWTH)
            self.conv2 = nn.Conv2d(FACTOR * GROWTH, GROWTH, kernel_size=3, padding=1, bias=False)

        def forward(self, features):
            x = self.conv1(F.relu(self.norm1(torch.cat(features, 1))))
            x = self.conv2(F.relu(self.norm2(x)))
            return F.dropout(x, p=0.2, training=self.training)

    class DenseBlock(nn.Module):
        def __init__(self, cin, layers):
            super().__init__()
            self.layers = nn.ModuleList(DenseLayer(cin + i * GROWTH) for i in range(layers))

        def forward(self, x):
            features = [x]
            for layer in self.layers:
                features.append(layer(features))
            return torch.cat(features, 1)

    class DenseNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv0 = nn.Conv2d(3, STEM, 7, stride=2, padding=3, bias=False)
            self.norm0 = nn.BatchNorm2d(STEM)
            self.blocks, self.norms, self.transitions = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
            width = STEM
            for layers in LAYERS:
                self.blocks.append(DenseBlock(width, layers))
                width += layers * GROWTH
                self.norms.append(nn.BatchNorm2d(width))
                if len(self.blocks) < len(LAYERS):
                    self.transitions.append(nn.Conv2d(width, width // 2, 1, bias=False))
                    width //= 2
            self.classifier = nn.Linear(width, CLASSES)

        def forward(self, x):
            x = F.max_pool2d(F.relu(self.norm0(self.conv0(x))), 3, stride=2, padding=1)
            for number, (block, norm) in enumerate(zip(self.blocks, self.norms)):
                x = F.relu(norm(block(x)))
                if number < len(self.transitions):
                    x = F.avg_pool2d(self.transitions[number](x), 2)
            return self.classifier(F.adaptive_avg_pool2d(x, 1).flatten(1))

    return DenseNet()


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
