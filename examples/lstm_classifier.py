"""A Gluon LSTM classifier with its trained weights in a `.params` file, and the torch module that replaces it.

    crossfw verify examples/lstm_classifier.py
    crossfw convert examples/lstm_classifier.params model.safetensors --for examples/lstm_classifier.py:torch_model
"""

VOCABULARY, EMBEDDING, HIDDEN, CLASSES, STEPS = 30, 8, 16, 3, 12

mxnet_checkpoint = "lstm_classifier.params"


def mxnet_model():
    from mxnet import gluon
    from mxnet.gluon import nn, rnn

    class Classifier(gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(VOCABULARY, EMBEDDING)
            self.encoder = rnn.LSTM(HIDDEN, num_layers=2, bidirectional=True, layout="NTC")
            self.decoder = nn.Dense(CLASSES)

        def hybrid_forward(self, F, tokens):
            hidden = self.encoder(self.embedding(tokens))  # (N, T, 2 H)
            return self.decoder(F.mean(hidden, axis=1))

    return Classifier()


def torch_model():
    from torch import nn

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(VOCABULARY, EMBEDDING)
            self.encoder = nn.LSTM(EMBEDDING, HIDDEN, num_layers=2, bidirectional=True, batch_first=True)
            self.decoder = nn.Linear(2 * HIDDEN, CLASSES)

        def forward(self, tokens):
            hidden, _ = self.encoder(self.embedding(tokens))  # (N, T, 2 H)
            return self.decoder(hidden.mean(dim=1))

    return Classifier()


def inputs(rng, batch_size):
    return rng.integers(0, VOCABULARY, (batch_size, STEPS))


def targets(rng, batch_size):
    return rng.integers(0, CLASSES, batch_size)


def mxnet_loss(output, targets):
    from mxnet import gluon

    return gluon.loss.SoftmaxCrossEntropyLoss()(output, targets)


def torch_loss(output, targets):
    from torch.nn import functional

    return functional.cross_entropy(output, targets)
