"""Translation by two GRUs: the decoder looks at the encoder's states by additive attention."""

import os

FULL = os.environ.get("CROSSFW_FAMILY_SIZE") == "full"
SOURCE, TARGET, EMBED, UNITS, STEPS = (30000, 30000, 620, 1000, 30) if FULL else (17, 13, 5, 6, 5)


def mxnet_model():
    from mxnet import gluon
    from mxnet.gluon import nn, rnn

    class Encoder(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.embedding = nn.Embedding(SOURCE, EMBED)
                self.cell = rnn.GRUCell(UNITS, input_size=EMBED)

        def hybrid_forward(self, F, words, lengths):
            x = self.embedding(words)
            return self.cell.unroll(STEPS, x, layout="NTC", merge_outputs=True, valid_length=lengths)

    class Attention(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.query = nn.Dense(UNITS, flatten=False, use_bias=False, in_units=UNITS)
                self.key = nn.Dense(UNITS, flatten=False, use_bias=False, in_units=UNITS)
                self.score = nn.Dense(1, flatten=False, use_bias=False, in_units=UNITS)

        def hybrid_forward(self, F, query, memory, lengths):
            x = F.tanh(F.broadcast_add(self.query(query).expand_dims(1), self.key(memory)))
            scores = F.SequenceMask(self.score(x), lengths, use_sequence_length=True, value=-1e18, axis=1)
            return F.sum(F.broadcast_mul(F.softmax(scores, axis=1), memory), axis=1)

    class Decoder(gluon.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.embedding, self.drop = nn.Embedding(TARGET, EMBED), nn.Dropout(0.2)
                self.attention = Attention()
                self.cell = rnn.GRUCell(UNITS, input_size=EMBED + UNITS)
                self.out = nn.Dense(TARGET, flatten=False, in_units=UNITS)

        def hybrid_forward(self, F, words, memory, lengths, state):
            outputs = []
            for x in F.split(self.drop(self.embedding(words)), STEPS, axis=1, squeeze_axis=True):
                context = self.attention(state[0], memory, lengths)
                y, state = self.cell(F.concat(context, x, dim=1), state)
                outputs.append(y)
            return self.out(F.stack(*outputs, axis=1))

    class Translator(nn.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.encoder, self.decoder = Encoder(), Decoder()

        def hybrid_forward(self, F, source, lengths, target):
            memory, state = self.encoder(source, lengths)
            return self.decoder(target, memory, lengths, state)

    return Translator()


def torch_model():
    import torch
    from torch import nn
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    class BahdanauAttention(nn.Module):
        def __init__(self):
            super().__init__()
            self.W_q = nn.Linear(UNITS, UNITS, bias=False)
            self.W_k = nn.Linear(UNITS, UNITS, bias=False)
            self.v = nn.Linear(UNITS, 1, bias=False)

        def forward(self, query, memory, visible):
            scores = self.v(torch.tanh(self.W_q(query).unsqueeze(1) + self.W_k(memory))).squeeze(-1)
            weights = scores.masked_fill(~visible, float("-inf")).softmax(dim=-1)
            return torch.bmm(weights.unsqueeze(1), memory).squeeze(1)

    class Seq2Seq(nn.Module):
        def __init__(self):
            super().__init__()
            self.src_embed = nn.Embedding(SOURCE, EMBED)
            self.encoder = nn.GRU(EMBED, UNITS, batch_first=True)
            self.tgt_embed = nn.Embedding(TARGET, EMBED)
            self.dropout = nn.Dropout(0.2)
            self.attention = BahdanauAttention()
            self.decoder = nn.GRUCell(UNITS + EMBED, UNITS)
            self.generator = nn.Linear(UNITS, TARGET)

        def forward(self, source, lengths, target):
            packed = pack_padded_sequence(self.src_embed(source), lengths.cpu(), batch_first=True, enforce_sorted=False)
            packed, h = self.encoder(packed)
            memory, _ = pad_packed_sequence(packed, batch_first=True, total_length=STEPS)
            visible = torch.arange(STEPS, device=source.device) < lengths[:, None]
            h, outputs = h.squeeze(0), []
            for x in self.dropout(self.tgt_embed(target)).unbind(dim=1):
                h = self.decoder(torch.cat([self.attention(h, memory, visible), x], dim=-1), h)
                outputs.append(self.generator(h))
            return torch.stack(outputs, dim=1)

    return Seq2Seq()


def inputs(rng):
    source, lengths = rng.integers(0, SOURCE, (3, STEPS)), rng.integers(STEPS // 2, STEPS + 1, 3)
    return source, lengths, rng.integers(0, TARGET, (3, STEPS))


def targets(rng):
    return rng.integers(0, TARGET, (3, STEPS)), rng.integers(STEPS // 2, STEPS + 1, 3)


def mxnet_loss(output, targets):
    from mxnet import gluon, nd

    words, lengths = targets
    weight = nd.SequenceMask(nd.ones_like(output[:, :, :1]), lengths, use_sequence_length=True, axis=1)
    return gluon.loss.SoftmaxCELoss()(output, words, weight)


def torch_loss(output, targets):
    import torch
    from torch.nn import functional

    words, lengths = targets
    loss = functional.cross_entropy(output.transpose(1, 2), words, reduction="none")
    return (loss * (torch.arange(STEPS, device=words.device) < lengths[:, None])).mean(dim=1)


def mxnet_optimizer(model):
    from mxnet import gluon

    return gluon.Trainer(model.collect_params(), "adam", {"learning_rate": 1e-3})


def torch_optimizer(model):
    import torch

    return torch.optim.Adam(model.parameters(), lr=1e-3)


def mxnet_clip(model):
    from mxnet import gluon

    gluon.utils.clip_global_norm([p.grad() for p in model.collect_params().values()], 1.0)


def torch_clip(model):
    import torch

    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
