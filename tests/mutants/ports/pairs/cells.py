"""Recurrent cells in a loop of the user's own: an LSTM under a GRU under a plain one, from a state that is given."""


def mxnet_model():
    from mxnet import gluon

    class Cells(gluon.Block):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.start = gluon.nn.Dense(5, activation="tanh", in_units=3)
                self.lstm = gluon.rnn.LSTMCell(5, input_size=4)
                self.gru = gluon.rnn.GRUCell(5, input_size=5)
                self.rnn = gluon.rnn.RNNCell(5, input_size=5, activation="relu")
                self.output = gluon.nn.Dense(2, in_units=5)

        def forward(self, batch):
            x, start = batch["x"], self.start(batch["start"])
            memory, gru, rnn = [start, start * 0], [start], [start]
            for step in x:
                below, memory = self.lstm(step, memory)
                below, gru = self.gru(below, gru)
                below, rnn = self.rnn(below, rnn)
            return {"scores": self.output(below), "memory": memory[1]}

    return Cells()


def torch_model():
    from torch import nn

    class Cells(nn.Module):
        def __init__(self):
            super().__init__()
            self.start = nn.Linear(3, 5)
            self.lstm = nn.LSTMCell(4, 5)
            self.gru = nn.GRUCell(5, 5)
            self.rnn = nn.RNNCell(5, 5, nonlinearity="relu")
            self.output = nn.Linear(5, 2)

        def forward(self, batch):
            x, start = batch["x"], self.start(batch["start"]).tanh()
            memory, gru, rnn = (start, start * 0), start, start
            for step in x:
                memory = self.lstm(step, memory)
                gru = self.gru(memory[0], gru)
                rnn = self.rnn(gru, rnn)
            return {"scores": self.output(rnn), "memory": memory[1]}

    return Cells()


def inputs(rng):
    return ({"x": rng.standard_normal((4, 3, 4)), "start": rng.standard_normal((3, 3))},)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.125, "momentum": 0.5})


def torch_optimizer(model):
    import torch

    return torch.optim.SGD(model.parameters(), lr=0.125, momentum=0.5)
