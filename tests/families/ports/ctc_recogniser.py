"""CRNN: convolutions see columns of a line of text, a bidirectional LSTM reads them, CTC aligns them."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
HEIGHT, WIDTH, UNITS, CLASSES, LETTERS = (32, 100, 256, 37, 8) if FULL else (16, 24, 5, 6, 2)
#        channels, normalised, pooled by
LAYERS = ((64, False, (2, 2)), (128, False, (2, 2)), (256, True, None), (256, False, (2, 1)))
LAYERS += ((512, True, None), (512, False, (2, 1)))
LAYERS = LAYERS if FULL else ((4, False, (2, 2)), (6, True, None), (6, False, (2, 1)), (8, True, (2, 1)))
LAST = 2  # rows that the last convolution sees at once
BLANK = CLASSES - 1


def mxnet_model():
    from mxnet.gluon import nn, rnn

    class CRNN(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.features = nn.HybridSequential()
                for channels, normalised, pool in LAYERS:
                    self.features.add(nn.Conv2D(channels, 3, padding=1))
                    if normalised:
                        self.features.add(nn.BatchNorm())
                    self.features.add(nn.Activation("relu"))
                    if pool:
                        self.features.add(nn.MaxPool2D(pool, pool))
                self.features.add(nn.Conv2D(LAYERS[-1][0], LAST), nn.BatchNorm(), nn.Activation("relu"))
                self.lstm = rnn.LSTM(UNITS, num_layers=2, layout="NTC", bidirectional=True)
                self.output = nn.Dense(CLASSES, flatten=False)

        def hybrid_forward(self, F, x):
            x = F.transpose(F.squeeze(self.features(x), axis=2), (0, 2, 1))
            return self.output(self.lstm(x))

    return CRNN()


def torch_model():
    from torch import nn

    class CRNN(nn.Module):
        def __init__(self):
            super().__init__()
            cnn, cin = [], 1
            for channels, normalised, pool in LAYERS:
                cnn.append(nn.Conv2d(cin, channels, 3, padding=1))
                cnn += [nn.BatchNorm2d(channels)] if normalised else []
                cnn.append(nn.ReLU(inplace=True))
                cnn += [nn.MaxPool2d(pool)] if pool else []
                cin = channels
            cnn += [nn.Conv2d(cin, cin, LAST), nn.BatchNorm2d(cin), nn.ReLU(inplace=True)]
            self.cnn = nn.Sequential(*cnn)
            self.rnn = nn.LSTM(cin, UNITS, num_layers=2, bidirectional=True)
            self.embedding = nn.Linear(2 * UNITS, CLASSES)

        def forward(self, images):
            columns = self.cnn(images).squeeze(2).permute(2, 0, 1)
            states, _ = self.rnn(columns)
            return self.embedding(states).transpose(0, 1)

    return CRNN()


def inputs(rng):
    return rng.standard_normal((2, 1, HEIGHT, WIDTH))


def targets(rng):
    return rng.integers(0, BLANK, (2, LETTERS)), rng.integers(1, LETTERS + 1, 2)


def mxnet_loss(output, targets):
    from mxnet import gluon

    letters, lengths = targets  # Gluon's blank is the last class
    return gluon.loss.CTCLoss(layout="NTC", label_layout="NT")(output, letters, None, lengths)


def torch_loss(output, targets):
    import torch
    from torch.nn import functional

    letters, lengths = targets
    seen = torch.full((output.shape[0],), output.shape[1])
    probs = output.log_softmax(-1).transpose(0, 1)
    return functional.ctc_loss(probs, letters, seen, lengths, blank=BLANK, reduction="none")


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "adam", {"learning_rate": 1e-3, "beta1": 0.5})


def torch_optimizer(model):
    import torch

    return torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.5, 0.999))
