"""SSD: classes and boxes predicted from features of several scales, on a VGG without its dense layers."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, CLASSES, BATCH = (300, 21, 2) if FULL else (40, 4, 2)
STAGES = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)) if FULL else ((1, 4), (2, 6), (1, 8))
DENSE = 1024 if FULL else 10  # channels of what VGG's dense layers became
EXTRAS = ((512, 2, 1), (256, 2, 1), (256, 1, 0), (256, 1, 0)) if FULL else ((8, 2, 1),)  # channels, stride, padding
ANCHORS = (4, 6, 6, 6, 4, 4) if FULL else (4, 6, 4)
BOXES = 8732 if FULL else 20 * 20 * 4 + 10 * 10 * 6 + 5 * 5 * 4


def mxnet_model():
    from mxnet.gluon import nn

    class Base(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.stages = nn.HybridSequential()
                for layers, filters in STAGES:
                    stage = nn.HybridSequential()
                    for _ in range(layers):
                        stage.add(nn.Conv2D(filters, kernel_size=3, padding=1), nn.Activation("relu"))
                    self.stages.add(stage)
                self.dense = nn.HybridSequential()
                self.dense.add(nn.Conv2D(DENSE, kernel_size=3, padding=6, dilation=6), nn.Activation("relu"))
                self.dense.add(nn.Conv2D(DENSE, kernel_size=1), nn.Activation("relu"))
                self.scale = self.params.get("scale", shape=(1, STAGES[-2][1], 1, 1))
                self.extras = nn.HybridSequential()
                for filters, stride, padding in EXTRAS:
                    extra = nn.HybridSequential()
                    extra.add(nn.Conv2D(filters // 2, 1), nn.Activation("relu"))
                    extra.add(nn.Conv2D(filters, 3, stride, padding), nn.Activation("relu"))
                    self.extras.add(extra)

        def hybrid_forward(self, F, x, scale):
            stages = list(self.stages._children.values())
            for stage in stages[:-1]:
                seen = stage(x)
                x = F.Pooling(seen, kernel=(2, 2), stride=(2, 2), pool_type="max", pooling_convention="full")
            features = [F.broadcast_mul(F.L2Normalization(seen, mode="channel"), scale)]
            x = F.Pooling(stages[-1](x), kernel=(3, 3), stride=(1, 1), pad=(1, 1), pool_type="max")
            x = self.dense(x)
            features.append(x)
            for extra in self.extras._children.values():
                x = extra(x)
                features.append(x)
            return features

    class SSD(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.base = Base()
                self.class_predictors, self.box_predictors = nn.HybridSequential(), nn.HybridSequential()
                for anchors in ANCHORS:
                    self.class_predictors.add(nn.Conv2D(anchors * CLASSES, 3, padding=1))
                    self.box_predictors.add(nn.Conv2D(anchors * 4, 3, padding=1))

        def hybrid_forward(self, F, x):
            features = self.base(x)
            flat = [
                [F.flatten(F.transpose(f(x), (0, 2, 3, 1))) for f, x in zip(predictors._children.values(), features)]
                for predictors in (self.class_predictors, self.box_predictors)
            ]
            classes, boxes = (F.concat(*parts, dim=1) for parts in flat)
            return classes.reshape((0, -1, CLASSES)), boxes.reshape((0, -1, 4))

    return SSD()


def torch_model():
    import torch
    from torch import nn
    from torch.nn import functional as F

    class L2Norm(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.weight = nn.Parameter(torch.full((channels,), 20.0))

        def forward(self, x):
            norm = x.pow(2).sum(dim=1, keepdim=True).add(1e-10).sqrt()
            return self.weight[:, None, None] * (x / norm)

    class SSD(nn.Module):
        def __init__(self):
            super().__init__()
            vgg, cin = [], 3
            for number, (layers, channels) in enumerate(STAGES):
                if number == len(STAGES) - 1:
                    self.first = len(vgg)  # the features of before this pool are looked at
                if number:
                    vgg.append(nn.MaxPool2d(2, ceil_mode=True))
                for _ in range(layers):
                    vgg += [nn.Conv2d(cin, channels, 3, padding=1), nn.ReLU(inplace=True)]
                    cin = channels
            vgg += [nn.MaxPool2d(3, stride=1, padding=1), nn.Conv2d(cin, DENSE, 3, padding=6, dilation=6), nn.ReLU()]
            vgg += [nn.Conv2d(DENSE, DENSE, 1), nn.ReLU(inplace=True)]
            self.vgg, self.norm = nn.ModuleList(vgg), L2Norm(STAGES[-2][1])
            widths, extras = [STAGES[-2][1], DENSE], []
            for channels, stride, padding in EXTRAS:
                extras.append(nn.Conv2d(widths[-1], channels // 2, 1))
                extras.append(nn.Conv2d(channels // 2, channels, 3, stride, padding))
                widths.append(channels)
            self.extras = nn.ModuleList(extras)
            sizes = list(zip(widths, ANCHORS))
            self.loc = nn.ModuleList(nn.Conv2d(width, anchors * 4, 3, padding=1) for width, anchors in sizes)
            self.conf = nn.ModuleList(nn.Conv2d(width, anchors * CLASSES, 3, padding=1) for width, anchors in sizes)

        def forward(self, x):
            sources = []
            for number, layer in enumerate(self.vgg):
                if number == self.first:
                    sources.append(self.norm(x))
                x = layer(x)
            sources.append(x)
            for number, layer in enumerate(self.extras):
                x = F.relu(layer(x))
                if number % 2:
                    sources.append(x)
            n = x.shape[0]
            loc = [f(s).permute(0, 2, 3, 1).reshape(n, -1, 4) for f, s in zip(self.loc, sources)]
            conf = [f(s).permute(0, 2, 3, 1).reshape(n, -1, CLASSES) for f, s in zip(self.conf, sources)]
            return torch.cat(conf, dim=1), torch.cat(loc, dim=1)

    return SSD()


def inputs(rng):
    return rng.standard_normal((BATCH, 3, PIXELS, PIXELS))


def targets(rng):
    classes = rng.integers(0, CLASSES, (BATCH, BOXES)) * rng.integers(0, 2, (BATCH, BOXES))
    return classes, 2 * rng.standard_normal((BATCH, BOXES, 4))


def mxnet_loss(output, targets):
    from mxnet import gluon, nd

    (scores, boxes), (classes, where) = output, targets
    found = (classes > 0).astype(boxes.dtype).expand_dims(2)
    count = nd.maximum(found.sum(), 1)
    each = gluon.loss.SoftmaxCrossEntropyLoss()(scores, classes) * BOXES
    distance = nd.smooth_l1((boxes - where.astype(boxes.dtype)) * found, scalar=1.0).sum(axis=(1, 2))
    return (each + distance).sum() / count


def torch_loss(output, targets):
    from torch.nn import functional

    (scores, boxes), (classes, where) = output, targets
    found = classes > 0
    located = functional.smooth_l1_loss(boxes[found], where[found], reduction="sum")
    classified = functional.cross_entropy(scores.reshape(-1, CLASSES), classes.reshape(-1), reduction="sum")
    return (located + classified) / found.sum().clamp(min=1)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 1e-3, "momentum": 0.9, "wd": 5e-4})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)
