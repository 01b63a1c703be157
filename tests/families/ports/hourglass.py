"""Stacked hourglass: down and up again several times, with a set of heat maps after each."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
PIXELS, JOINTS, WIDTH, DEPTH, STACKS = (256, 16, 256, 4, 2) if FULL else (16, 3, 8, 1, 2)


def mxnet_model():
    from mxnet.gluon import nn

    class Residual(nn.HybridBlock):
        def __init__(self, cin, cout, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.body = nn.HybridSequential()
                for channels, kernel in ((cout // 2, 1), (cout // 2, 3), (cout, 1)):
                    self.body.add(nn.BatchNorm(), nn.Activation("relu"))
                    self.body.add(nn.Conv2D(channels, kernel, padding=kernel // 2))
                self.skip = nn.Conv2D(cout, 1) if cin != cout else None

        def hybrid_forward(self, F, x):
            return self.body(x) + (self.skip(x) if self.skip else x)

    class Hourglass(nn.HybridBlock):
        def __init__(self, depth, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.upper, self.before = Residual(WIDTH, WIDTH), Residual(WIDTH, WIDTH)
                self.inner = Hourglass(depth - 1) if depth > 1 else Residual(WIDTH, WIDTH)
                self.after = Residual(WIDTH, WIDTH)

        def hybrid_forward(self, F, x):
            low = F.Pooling(x, kernel=(2, 2), stride=(2, 2), pool_type="max")
            low = self.after(self.inner(self.before(low)))
            return self.upper(x) + F.UpSampling(low, scale=2, sample_type="nearest")

    class Stack(nn.HybridBlock):
        def __init__(self, last, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.features = nn.HybridSequential()
                self.features.add(Hourglass(DEPTH), Residual(WIDTH, WIDTH))
                self.features.add(nn.Conv2D(WIDTH, 1), nn.BatchNorm(), nn.Activation("relu"))
                self.score = nn.Conv2D(JOINTS, 1)
                self.back = None if last else nn.Conv2D(WIDTH, 1)
                self.score_back = None if last else nn.Conv2D(WIDTH, 1)

        def hybrid_forward(self, F, x):
            y = self.features(x)
            score = self.score(y)
            return score if self.back is None else (score, x + self.back(y) + self.score_back(score))

    class HourglassNet(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.stem = nn.HybridSequential()
                self.stem.add(nn.Conv2D(WIDTH // 4, 7, 2, 3), nn.BatchNorm(), nn.Activation("relu"))
                self.stem.add(Residual(WIDTH // 4, WIDTH // 2), nn.MaxPool2D())
                self.stem.add(Residual(WIDTH // 2, WIDTH // 2), Residual(WIDTH // 2, WIDTH))
                self.stacks = nn.HybridSequential()
                self.stacks.add(*[Stack(i == STACKS - 1) for i in range(STACKS)])

        def hybrid_forward(self, F, x):
            x, scores = self.stem(x), []
            for stack in list(self.stacks._children.values())[:-1]:
                score, x = stack(x)
                scores.append(score)
            return (*scores, self.stacks[-1](x))

    return HourglassNet()


def torch_model():
    from torch import nn
    from torch.nn import functional as F

    class Bottleneck(nn.Module):
        def __init__(self, inplanes, outplanes):
            super().__init__()
            planes = outplanes // 2
            self.bn1, self.conv1 = nn.BatchNorm2d(inplanes), nn.Conv2d(inplanes, planes, 1)
            self.bn2, self.conv2 = nn.BatchNorm2d(planes), nn.Conv2d(planes, planes, 3, padding=1)
            self.bn3, self.conv3 = nn.BatchNorm2d(planes), nn.Conv2d(planes, outplanes, 1)
            self.relu = nn.ReLU(inplace=True)
            self.downsample = nn.Conv2d(inplanes, outplanes, 1) if inplanes != outplanes else nn.Identity()

        def forward(self, x):
            out = self.conv1(self.relu(self.bn1(x)))
            out = self.conv2(self.relu(self.bn2(out)))
            out = self.conv3(self.relu(self.bn3(out)))
            return out + self.downsample(x)

    class Hourglass(nn.Module):
        def __init__(self):
            super().__init__()
            self.skips = nn.ModuleList(Bottleneck(WIDTH, WIDTH) for _ in range(DEPTH))
            self.downs = nn.ModuleList(Bottleneck(WIDTH, WIDTH) for _ in range(DEPTH))
            self.bottom = Bottleneck(WIDTH, WIDTH)
            self.ups = nn.ModuleList(Bottleneck(WIDTH, WIDTH) for _ in range(DEPTH))

        def forward(self, x):
            kept = []
            for skip, down in zip(self.skips, self.downs):
                kept.append(skip(x))
                x = down(F.max_pool2d(x, 2))
            x = self.bottom(x)
            for up in self.ups:
                x = kept.pop() + F.interpolate(up(x), scale_factor=2)
            return x

    class HourglassNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(3, WIDTH // 4, kernel_size=7, stride=2, padding=3)
            self.bn1 = nn.BatchNorm2d(WIDTH // 4)
            self.relu = nn.ReLU(inplace=True)
            self.layer1 = Bottleneck(WIDTH // 4, WIDTH // 2)
            self.layer2 = Bottleneck(WIDTH // 2, WIDTH // 2)
            self.layer3 = Bottleneck(WIDTH // 2, WIDTH)
            self.hg = nn.ModuleList(Hourglass() for _ in range(STACKS))
            self.res = nn.ModuleList(Bottleneck(WIDTH, WIDTH) for _ in range(STACKS))
            lin = [nn.Sequential(nn.Conv2d(WIDTH, WIDTH, 1), nn.BatchNorm2d(WIDTH), nn.ReLU()) for _ in range(STACKS)]
            self.fc = nn.ModuleList(lin)
            self.score = nn.ModuleList(nn.Conv2d(WIDTH, JOINTS, 1) for _ in range(STACKS))
            self.fc_ = nn.ModuleList(nn.Conv2d(WIDTH, WIDTH, 1) for _ in range(STACKS - 1))
            self.score_ = nn.ModuleList(nn.Conv2d(JOINTS, WIDTH, 1) for _ in range(STACKS - 1))

        def forward(self, x):
            x = F.max_pool2d(self.layer1(self.relu(self.bn1(self.conv1(x)))), 2)
            x = self.layer3(self.layer2(x))
            out = []
            for i in range(STACKS):
                y = self.fc[i](self.res[i](self.hg[i](x)))
                out.append(self.score[i](y))
                if i < STACKS - 1:
                    x = x + self.fc_[i](y) + self.score_[i](out[-1])
            return out

    return HourglassNet()


def inputs(rng):
    return rng.standard_normal((2, 3, PIXELS, PIXELS))


def targets(rng):
    return rng.random((2, JOINTS, PIXELS // 4, PIXELS // 4))


def mxnet_loss(output, targets):
    from mxnet import gluon

    loss = gluon.loss.L2Loss(weight=2)  # L2Loss halves
    return sum(loss(score, targets) for score in output)


def torch_loss(output, targets):
    from torch.nn import functional

    return sum(functional.mse_loss(score, targets) for score in output)


def mxnet_optimizer(model):
    from mxnet import gluon

    settings = {"learning_rate": 2.5e-4, "gamma1": 0.99, "epsilon": 1e-8}
    return gluon.Trainer(model.collect_params(), "rmsprop", settings)


def torch_optimizer(model):
    import torch

    return torch.optim.RMSprop(model.parameters(), lr=2.5e-4, alpha=0.99)
