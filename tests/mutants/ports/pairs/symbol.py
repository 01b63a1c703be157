"""A network composed of symbols: the defaults are those of the operators, `fix_gamma` among them."""


def mxnet_model():
    import mxnet as mx

    x = mx.sym.Variable("data")
    x = mx.sym.Convolution(x, num_filter=6, kernel=(3, 3), pad=(1, 1), no_bias=True, name="conv0")
    x = mx.sym.BatchNorm(x, momentum=0.875, name="bn0")
    x = mx.sym.LeakyReLU(x, act_type="elu", name="elu0")
    x = mx.sym.Pooling(x, kernel=(2, 2), stride=(2, 2), pool_type="max", name="pool0")
    x = mx.sym.Convolution(x, num_filter=8, kernel=(3, 3), stride=(2, 2), name="conv1")
    x = mx.sym.BatchNorm(x, momentum=0.75, eps=0.0625, fix_gamma=False, name="bn1")
    x = mx.sym.Activation(x, act_type="relu", name="relu1")
    x = mx.sym.Flatten(x)
    x = mx.sym.FullyConnected(x, num_hidden=4, name="fc0")
    return mx.gluon.SymbolBlock(x, mx.sym.Variable("data"))


def torch_model():
    import torch
    from torch import nn
    from torch.nn import functional

    class FixedGamma(nn.BatchNorm2d):
        """The weight is stored and not used."""

        def __init__(self, channels, **settings):
            super().__init__(channels, **settings)
            self.weight.requires_grad_(False)

        def gamma(self):
            return torch.ones_like(self.weight)

        def forward(self, x):
            statistics = (self.running_mean, self.running_var)
            return functional.batch_norm(
                x, *statistics, self.gamma(), self.bias, self.training, self.momentum, self.eps
            )

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv0 = nn.Conv2d(3, 6, 3, padding=1, bias=False)
            self.bn0 = FixedGamma(6, momentum=0.125, eps=1e-3)
            self.elu0 = nn.ELU(0.25)
            self.pool0 = nn.MaxPool2d(2)
            self.conv1 = nn.Conv2d(6, 8, 3, stride=2)
            self.bn1 = nn.BatchNorm2d(8, momentum=0.25, eps=0.0625)
            self.fc0 = nn.Linear(32, 4)

        def forward(self, x):
            x = self.pool0(self.elu0(self.bn0(self.conv0(x))))
            x = functional.relu(self.bn1(self.conv1(x)))
            return self.fc0(x.flatten(1))

    return Network()


def inputs(rng):
    return rng.standard_normal((4, 3, 11, 10))


def targets(rng):
    return rng.integers(0, 4, 4)


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.SoftmaxCrossEntropyLoss()(output, targets)


def torch_loss(output, targets):
    from torch.nn.functional import cross_entropy

    return cross_entropy(output, targets)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.125, "momentum": 0.5})


def torch_optimizer(model):
    import torch

    learning = [p for p in model.parameters() if p.requires_grad]
    return torch.optim.SGD(learning, lr=0.125, momentum=0.5)
