"""An autoencoder of signals: convolutions and transposed convolutions of one dimension; the absolute error."""


def mxnet_model():
    from mxnet.gluon import nn

    class Autoencoder(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.encoder = nn.HybridSequential()
                self.encoder.add(
                    nn.Conv1D(6, 5, strides=2, padding=2, activation="relu"),
                    nn.Conv1D(8, 3, strides=2, padding=1),
                    nn.LeakyReLU(0.125),
                )
                self.decoder = nn.HybridSequential()
                self.decoder.add(
                    nn.Conv1DTranspose(6, 4, strides=2, padding=1, activation="softrelu"),
                    nn.Conv1DTranspose(2, 3, strides=2, padding=1, output_padding=1),
                )

        def hybrid_forward(self, F, x):
            return self.decoder(self.encoder(x))

    return Autoencoder()


def torch_model():
    from torch import nn

    class Autoencoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(
                nn.Conv1d(2, 6, 5, stride=2, padding=2),
                nn.ReLU(),
                nn.Conv1d(6, 8, 3, stride=2, padding=1),
                nn.LeakyReLU(0.125),
            )
            self.decoder = nn.Sequential(
                nn.ConvTranspose1d(8, 6, 4, stride=2, padding=1),
                nn.Softplus(),
                nn.ConvTranspose1d(6, 2, 3, stride=2, padding=1, output_padding=1),
            )

        def forward(self, x):
            return self.decoder(self.encoder(x))

    return Autoencoder()


def inputs(rng):
    return rng.standard_normal((3, 2, 16))


def targets(rng):
    return rng.standard_normal((3, 2, 16))


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.L1Loss()(output, targets)


def torch_loss(output, targets):
    from torch.nn.functional import l1_loss

    return l1_loss(output, targets)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.125})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=0.125)
