"""One tower for three pictures; the triplet loss of squared distances; biases are not decayed."""

MARGIN = 2.0


def mxnet_model():
    from mxnet.gluon import nn

    class Faces(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.tower = nn.HybridSequential()
                self.tower.add(
                    nn.Conv2D(6, 3, strides=2, padding=1, activation="tanh"),
                    nn.AvgPool2D(2, 2, padding=1, count_include_pad=True),
                    nn.Dense(5),
                )

        def hybrid_forward(self, F, anchor, positive, negative):
            return self.tower(anchor), self.tower(positive), self.tower(negative)

    return Faces()


def torch_model():
    from torch import nn

    class Faces(nn.Module):
        def __init__(self):
            super().__init__()
            self.tower = nn.Sequential(
                nn.Conv2d(3, 6, 3, stride=2, padding=1),
                nn.Tanh(),
                nn.AvgPool2d(2, 2, padding=1, count_include_pad=True),
                nn.Flatten(),
                nn.Linear(54, 5),
            )

        def forward(self, anchor, positive, negative):
            return self.tower(anchor), self.tower(positive), self.tower(negative)

    return Faces()


def inputs(rng):
    return tuple(rng.standard_normal((3, 4, 3, 8, 8)))


def mxnet_loss(output):
    from mxnet import gluon

    return gluon.loss.TripletLoss(margin=MARGIN)(*output)


def torch_loss(output):
    anchor, positive, negative = output
    distances = ((positive - anchor) ** 2 - (negative - anchor) ** 2).sum(1)
    return (distances + MARGIN).relu().mean()


def mxnet_optimizer(model):
    from mxnet import gluon

    for name, parameter in model.collect_params().items():
        parameter.wd_mult = 0.0 if name.endswith("bias") else 1.0
    return gluon.Trainer(model.collect_params(), "sgd", {"learning_rate": 0.03125, "momentum": 0.5, "wd": 0.25})


def torch_optimizer(model):
    import torch

    biases = [p for name, p in model.named_parameters() if name.endswith("bias")]
    weights = [p for name, p in model.named_parameters() if not name.endswith("bias")]
    groups = [{"params": weights}, {"params": biases, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=0.03125, momentum=0.5, weight_decay=0.25)
