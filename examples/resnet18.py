"""ResNet-18 of Gluon's model zoo, and the same network written in PyTorch: `crossfw verify examples/resnet18.py`."""


def mxnet_model():
    from mxnet.gluon.model_zoo import vision

    return vision.resnet18_v1(pretrained=False, classes=10)


def torch_model():
    from torch import nn
    from torch.nn import functional

    class Block(nn.Module):
        def __init__(self, incoming, channels, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(incoming, channels, 3, stride, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(channels)
            self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(channels)
            self.downsample = nn.Sequential()
            if stride != 1:
                self.downsample.append(nn.Conv2d(incoming, channels, 1, stride, bias=False))
                self.downsample.append(nn.BatchNorm2d(channels))

        def forward(self, x):
            y = functional.relu(self.bn1(self.conv1(x)))
            return functional.relu(self.bn2(self.conv2(y)) + self.downsample(x))

    class ResNet18(nn.Module):
        def __init__(self, classes=10):
            super().__init__()
            self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
            self.bn1 = nn.BatchNorm2d(64)
            self.pool = nn.MaxPool2d(3, 2, padding=1)
            self.layer1 = nn.Sequential(Block(64, 64, 1), Block(64, 64, 1))
            self.layer2 = nn.Sequential(Block(64, 128, 2), Block(128, 128, 1))
            self.layer3 = nn.Sequential(Block(128, 256, 2), Block(256, 256, 1))
            self.layer4 = nn.Sequential(Block(256, 512, 2), Block(512, 512, 1))
            self.fc = nn.Linear(512, classes)

        def forward(self, x):
            x = self.pool(functional.relu(self.bn1(self.conv1(x))))
            x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
            return self.fc(x.mean((2, 3)))

    return ResNet18()


def inputs(rng):
    return rng.standard_normal((4, 3, 32, 32))


def targets(rng):
    return rng.integers(0, 10, 4)


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.SoftmaxCrossEntropyLoss()(output, targets)


def torch_loss(output, targets):
    from torch.nn.functional import cross_entropy

    return cross_entropy(output, targets)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.125, "momentum": 0.875})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=0.125, momentum=0.875)
