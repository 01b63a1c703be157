"""Operators of MXNet, many without float64 or with float32 inside."""

from __future__ import annotations

import math

import numpy as np
import torch
from mxnet.gluon import nn as gnn
from torch import nn
from torch.nn import functional as f

from tests.verification.kinds import Kind, gluon, module, normal


def dense(units, width):
    return lambda: gnn.Dense(units, in_units=width, flatten=False)


def linear(width, units):
    return lambda: nn.Linear(width, units)


def conv(out, given, kernel=3, **more):
    return lambda: gnn.Conv2D(out, kernel, in_channels=given, **more)


def conv2d(given, out, kernel=3, **more):
    return lambda: nn.Conv2d(given, out, kernel, **more)


def _after_dense(op, torch_op, name, word="agrees", stage=None, causes=(), inputs=None, width=6, **more):
    """A Dense, the operator, another Dense."""
    return Kind(
        name,
        gluon(lambda s, F, x: s.b(op(F, s.a(x))), a=dense(width, 4), b=dense(3, width)),
        module(lambda s, x: s.b(torch_op(s.a(x))), a=linear(4, width), b=linear(width, 3)),
        inputs or normal(4, times=2.0),
        word,
        stage,
        causes,
        **more,
    )


def _after_conv(op, torch_op, name, word="agrees", stage=None, causes=(), channels=4, inputs=None, **more):
    """A convolution, the operator."""
    return Kind(
        name,
        gluon(lambda s, F, x: op(F, s.a(x)), a=conv(channels, 3)),
        module(lambda s, x: torch_op(s.a(x)), a=conv2d(3, channels)),
        inputs or normal(3, 9, 8),
        word,
        stage,
        causes,
        **more,
    )


def l2(mode):
    def torch_op(x):
        axes = {"instance": tuple(range(1, x.dim())), "channel": (1,), "spatial": tuple(range(2, x.dim()))}[mode]
        return x / (x.pow(2).sum(axes, keepdim=True) + 1e-10).sqrt()

    return torch_op


def rois(rng, size):
    boxes = np.sort(rng.uniform(0, 7, (5, 2, 2)), axis=1).reshape(5, 4)
    boxes[:, 2:] += 1
    return np.concatenate([rng.integers(0, size, (5, 1)), boxes], 1)


def with_rois(rng, batch_size):
    return rng.standard_normal((batch_size, 3, 10, 10)), rois(rng, batch_size)


def whole_rois(rng, batch_size):
    x, boxes = with_rois(rng, batch_size)
    return x, np.round(boxes)


def roi_align(x, boxes, aligned=False):
    """By bilinear interpolation at 2 x 2 points of every bin, written out."""
    found = []
    height, width = x.shape[2:]
    shift = 0.5 if aligned else 0.0
    for box in boxes:
        image = x[int(box[0])]
        left, top, right, bottom = (box[1:] - shift).unbind()
        w, h = right - left, bottom - top
        if not aligned:
            w, h = w.clamp(min=1), h.clamp(min=1)
        at = (torch.arange(6, dtype=x.dtype) + 0.5) / 6
        ys, xs = (top + h * at).clamp(0, height - 1), (left + w * at).clamp(0, width - 1)
        y0, x0 = ys.floor().long().clamp(max=height - 1), xs.floor().long().clamp(max=width - 1)
        y1, x1 = (y0 + 1).clamp(max=height - 1), (x0 + 1).clamp(max=width - 1)
        fy, fx = (ys - y0)[:, None], xs - x0
        up = image[:, y0][:, :, x0] * (1 - fx) + image[:, y0][:, :, x1] * fx
        down = image[:, y1][:, :, x0] * (1 - fx) + image[:, y1][:, :, x1] * fx
        found.append(f.avg_pool2d((up * (1 - fy) + down * fy)[None], 2)[0])
    return torch.stack(found)


def lengths(rng, batch_size):
    return rng.standard_normal((5, batch_size, 4)), np.array([5, 3, 2][:batch_size], dtype=np.int64)


def float_lengths(rng, batch_size):
    return rng.standard_normal((5, batch_size, 4)), np.array([5, 3, 2][:batch_size], dtype=np.float64)


def reverse_valid(x, valid):
    made = x.clone()
    for i, n in enumerate(valid.long()):
        made[:n, i] = x[:n, i].flip(0)
    return made


def masked_softmax(scores, valid):
    mask = torch.arange(scores.shape[-1]) < valid[:, None].long()
    return torch.where(mask, scores.masked_fill(~mask, -math.inf).softmax(-1), torch.zeros((), dtype=scores.dtype))


def scored(rng, batch_size):
    return rng.standard_normal((batch_size, 4)), np.array([6, 3, 2][:batch_size], dtype=np.int64)


def interleaved_encdec(self, q, kv):
    q, kv = self.q(q), self.kv(kv)
    t, n, c = q.shape
    heads, d = 2, c // 2
    kv = kv.reshape(kv.shape[0], n, heads, 2, d)
    query = q.reshape(t, n, heads, d).permute(1, 2, 0, 3)
    key, value = (kv[:, :, :, i].permute(1, 2, 0, 3) for i in (0, 1))
    made = (query / math.sqrt(d) @ key.transpose(-1, -2)).softmax(-1) @ value
    return made.permute(2, 0, 1, 3).reshape(t, n, c)


def gluon_encdec(self, F, q, kv):
    q, kv = self.q(q), self.kv(kv)
    scores = F.contrib.interleaved_matmul_encdec_qk(q, kv, heads=2)
    return F.contrib.interleaved_matmul_encdec_valatt(kv, F.softmax(scores, axis=-1), heads=2)


def two_sequences(rng, batch_size):
    return rng.standard_normal((4, batch_size, 6)), rng.standard_normal((5, batch_size, 6))


def affine_mxnet(self, F, x):
    theta = self.loc(F.flatten(x))
    return F.SpatialTransformer(x, theta, target_shape=(5, 6), transform_type="affine", sampler_type="bilinear")


def affine_torch(corners):
    def forward(self, x):
        theta = self.loc(x.flatten(1)).reshape(-1, 2, 3)
        grid = f.affine_grid(theta, (len(x), 3, 5, 6), align_corners=corners)
        return f.grid_sample(x, grid, align_corners=corners)

    return forward


def correlation(x, y, most=1):
    size = x.shape[2:]
    padded = f.pad(y, [most] * 4)
    made = [
        (x * padded[:, :, i : i + size[0], j : j + size[1]]).mean(1)
        for i in range(2 * most + 1)
        for j in range(2 * most + 1)
    ]
    return torch.stack(made, 1)


def prior(sizes, ratios, height, width):
    boxes = []
    for y in range(height):
        for x in range(width):
            cy, cx = (y + 0.5) / height, (x + 0.5) / width
            shapes = [(s * height / width / 2, s / 2) for s in sizes]
            shapes += [(sizes[0] * height / width * math.sqrt(r) / 2, sizes[0] / math.sqrt(r) / 2) for r in ratios[1:]]
            boxes += [(cx - w, cy - h, cx + w, cy + h) for w, h in shapes]
    return torch.tensor(boxes)


def erfinv_like(x):
    return torch.special.gammaln(x.abs() + 1)


def hard(x):
    return (0.2 * x + 0.5).clamp(0, 1)


def smooth(scalar):
    def torch_op(x):
        s = scalar**2
        return torch.where(x.abs() < 1 / s, 0.5 * s * x * x, x.abs() - 0.5 / s)

    return torch_op


KINDS = [
    _after_conv(lambda F, x: F.L2Normalization(x, mode="channel"), l2("channel"), "l2 channel"),
    _after_conv(lambda F, x: F.L2Normalization(x, mode="spatial"), l2("spatial"), "l2 spatial"),
    _after_conv(lambda F, x: F.L2Normalization(x), l2("instance"), "l2 instance"),
    _after_conv(
        lambda F, x: F.L2Normalization(x, mode="channel"), l2("instance"), "l2 wrong axes", "differs", "forward"
    ),
    Kind(
        "instance norm",
        gluon(lambda s, F, x: s.n(s.a(x)), a=conv(4, 3), n=lambda: gnn.InstanceNorm(in_channels=4, scale=True)),
        module(lambda s, x: s.n(s.a(x)), a=conv2d(3, 4), n=lambda: nn.InstanceNorm2d(4, affine=True)),
        normal(3, 8, 7),
    ),
    Kind(
        "instance norm eps",
        gluon(
            lambda s, F, x: s.n(s.a(x)),
            a=conv(4, 3),
            n=lambda: gnn.InstanceNorm(in_channels=4, epsilon=1e-3, scale=True),
        ),
        module(lambda s, x: s.n(s.a(x)), a=conv2d(3, 4), n=lambda: nn.InstanceNorm2d(4, affine=True)),
        normal(3, 8, 7),
        "differs",
        "forward",
        ("epsilon",),
    ),
    Kind(
        "roi align",
        gluon(
            lambda s, F, x, r: F.contrib.ROIAlign(s.a(x), r, pooled_size=(3, 3), spatial_scale=1.0, sample_ratio=2),
            a=conv(4, 3, padding=1),
        ),
        module(lambda s, x, r: roi_align(s.a(x), r.detach()), a=conv2d(3, 4, padding=1)),
        with_rois,
    ),
    Kind(
        "roi align half a pixel",
        gluon(
            lambda s, F, x, r: F.contrib.ROIAlign(s.a(x), r, pooled_size=(3, 3), spatial_scale=1.0, sample_ratio=2),
            a=conv(4, 3, padding=1),
        ),
        module(lambda s, x, r: roi_align(s.a(x), r.detach(), True), a=conv2d(3, 4, padding=1)),
        with_rois,
        "differs",
        "forward",
    ),
    Kind(
        "spatial transformer",
        gluon(affine_mxnet, loc=dense(6, 3 * 42)),
        module(affine_torch(True), loc=linear(3 * 42, 6)),
        normal(3, 6, 7, times=0.2),
    ),
    Kind(
        "spatial transformer corners",
        gluon(affine_mxnet, loc=dense(6, 3 * 42)),
        module(affine_torch(False), loc=linear(3 * 42, 6)),
        normal(3, 6, 7, times=0.2),
        "differs",
        "forward",
    ),
    _after_conv(
        lambda F, x: F.UpSampling(x, scale=2, sample_type="nearest"),
        lambda x: f.interpolate(x, scale_factor=2),
        "upsampling",
    ),
    _after_conv(
        lambda F, x: F.UpSampling(x, scale=2, sample_type="nearest"),
        lambda x: f.interpolate(x, scale_factor=2, mode="bilinear"),
        "upsampling bilinear",
        "differs",
        "forward",
        ("resizing",),
    ),
    Kind(
        "correlation",
        gluon(
            lambda s, F, x: F.Correlation(
                s.a(x), s.b(x), kernel_size=1, max_displacement=1, stride1=1, stride2=1, pad_size=1
            ),
            a=conv(4, 3),
            b=conv(4, 3, 3),
        ),
        module(lambda s, x: correlation(s.a(x), s.b(x)), a=conv2d(3, 4), b=conv2d(3, 4)),
        normal(3, 7, 8),
    ),
    Kind(
        "reverse by length",
        gluon(lambda s, F, x, n: s.a(F.SequenceReverse(x, n, use_sequence_length=True)), a=dense(3, 4)),
        module(lambda s, x, n: s.a(reverse_valid(x, n)), a=linear(4, 3)),
        float_lengths,
    ),
    Kind(
        "reverse forgets lengths",
        gluon(lambda s, F, x, n: s.a(F.SequenceReverse(x, n, use_sequence_length=True)), a=dense(3, 4)),
        module(lambda s, x, n: s.a(x.flip(0)), a=linear(4, 3)),
        float_lengths,
        "differs",
        "forward",
    ),
    Kind(
        "sequence last",
        gluon(lambda s, F, x, n: s.a(F.SequenceLast(x, n, use_sequence_length=True)), a=dense(3, 4)),
        module(lambda s, x, n: s.a(x[n.long() - 1, torch.arange(x.shape[1])]), a=linear(4, 3)),
        float_lengths,
    ),
    Kind(
        "sequence mask",
        gluon(lambda s, F, x, n: F.SequenceMask(s.a(x), n, use_sequence_length=True, value=-1), a=dense(3, 4)),
        module(lambda s, x, n: s.a(x).masked_fill((torch.arange(5)[:, None] >= n)[..., None], -1.0), a=linear(4, 3)),
        float_lengths,
    ),
    Kind(
        "softmax by length",
        gluon(lambda s, F, x, n: F.softmax(s.a(x), n, use_length=True, axis=-1), a=dense(6, 4)),
        module(lambda s, x, n: masked_softmax(s.a(x), n), a=linear(4, 6)),
        scored,
    ),
    Kind(
        "softmax forgets lengths",
        gluon(lambda s, F, x, n: F.softmax(s.a(x), n, use_length=True, axis=-1), a=dense(6, 4)),
        module(lambda s, x, n: s.a(x).softmax(-1), a=linear(4, 6)),
        scored,
        "differs",
        "forward",
    ),
    Kind(
        "encoder decoder attention",
        gluon(gluon_encdec, q=dense(6, 6), kv=dense(12, 6)),
        module(interleaved_encdec, q=linear(6, 6), kv=linear(6, 12)),
        two_sequences,
    ),
    _after_conv(
        lambda F, x: F.contrib.AdaptiveAvgPooling2D(x, output_size=(3, 2)),
        lambda x: f.adaptive_avg_pool2d(x, (3, 2)),
        "adaptive pooling",
    ),
    _after_conv(
        lambda F, x: F.contrib.AdaptiveAvgPooling2D(x, output_size=(3, 2)),
        lambda x: f.adaptive_max_pool2d(x, (3, 2)),
        "adaptive max",
        "differs",
        "forward",
    ),
    _after_dense(lambda F, x: F.smooth_l1(x, scalar=2.0), smooth(2.0), "smooth l1"),
    _after_dense(lambda F, x: F.smooth_l1(x, scalar=2.0), smooth(1.0), "smooth l1 scale", "differs", "forward"),
    _after_dense(lambda F, x: F.hard_sigmoid(x), hard, "hard sigmoid"),
    _after_dense(
        lambda F, x: F.hard_sigmoid(x), f.hardsigmoid, "hard sigmoid by 6", "differs", "forward", ("activation",)
    ),
    _after_dense(lambda F, x: F.clip(x, 0, 20), lambda x: x.clamp(0, 20), "clip 20"),
    _after_dense(lambda F, x: F.clip(x, 0, 20), lambda x: x.relu(), "clip 20 forgotten", "differs", None, ("clip",)),
    _after_dense(lambda F, x: F.relu(x), lambda x: x.clamp(0, 20), "clip 20 added", "differs"),
    _after_dense(
        lambda F, x: F.broadcast_add(x, F.batch_take(x, F.argmin(x, axis=1).astype("int32")).expand_dims(1)),
        lambda x: x.gather(1, x.argmin(1, keepdim=True)) + x,
        "batch take",
    ),
    _after_dense(
        lambda F, x: F.broadcast_add(x, F.batch_take(x, F.argmin(x, axis=1).astype("int32")).expand_dims(1)),
        lambda x: x.gather(1, x.argmax(1, keepdim=True)) + x,
        "batch take of the largest",
        "differs",
        "forward",
    ),
    _after_dense(
        lambda F, x: F.log_softmax(x, axis=-1, temperature=2.5), lambda x: (x / 2.5).log_softmax(-1), "temperature"
    ),
    _after_dense(
        lambda F, x: F.log_softmax(x, axis=-1, temperature=2.5),
        lambda x: x.log_softmax(-1),
        "temperature forgotten",
        "differs",
        "forward",
    ),
    _after_dense(lambda F, x: F.erf(x), torch.erf, "erf"),
    _after_dense(lambda F, x: F.gammaln(F.abs(x) + 1), erfinv_like, "gammaln"),
    _after_dense(lambda F, x: F.gamma(F.abs(x) + 1), lambda x: torch.exp(torch.lgamma(x.abs() + 1)), "gamma"),
    _after_dense(lambda F, x: F.erfinv(0.9 * F.tanh(x)), lambda x: torch.erfinv(0.9 * x.tanh()), "erfinv"),
    _after_dense(lambda F, x: F.contrib.div_sqrt_dim(x), lambda x: x / math.sqrt(x.shape[-1]), "div sqrt dim"),
    _after_dense(
        lambda F, x: F.contrib.div_sqrt_dim(x), lambda x: x, "div sqrt dim forgotten", "differs", "forward", ("scale",)
    ),
    _after_dense(
        lambda F, x: F.softsign(x) + F.cbrt(F.abs(x) + 1), lambda x: f.softsign(x) + (x.abs() + 1) ** (1 / 3), "cbrt"
    ),
    _after_dense(lambda F, x: F.rsqrt(F.square(x) + 1e-3), lambda x: (x * x + 1e-3).rsqrt(), "rsqrt"),
    _after_dense(lambda F, x: F.SoftmaxActivation(x), lambda x: x.softmax(1), "softmax activation"),
    _after_dense(lambda F, x: F.softmin(x), lambda x: (-x).softmax(-1), "softmin"),
    _after_dense(
        lambda F, x: F.where(x > 0, x, F.zeros_like(x)), lambda x: torch.where(x > 0, x, torch.zeros_like(x)), "where"
    ),
    _after_dense(
        lambda F, x: F.broadcast_mul(x, F.one_hot(F.argmax(x, axis=1), 6)),
        lambda x: x * f.one_hot(x.argmax(1), 6),
        "one hot of argmax",
    ),
    _after_dense(
        lambda F, x: F.pick(x, F.argmax(x, axis=1), keepdims=True) + x,
        lambda x: x.gather(1, x.argmax(1, keepdim=True)) + x,
        "pick",
    ),
    _after_dense(lambda F, x: F.sort(x, axis=1, is_ascend=False), lambda x: x.sort(1, descending=True)[0], "sort"),
    _after_dense(
        lambda F, x: F.sort(x, axis=1),
        lambda x: x.sort(1, descending=True)[0],
        "sort the other way",
        "differs",
        "forward",
    ),
    _after_dense(lambda F, x: F.topk(x, k=6, ret_typ="value"), lambda x: x.topk(6)[0], "topk value"),
    _after_dense(
        lambda F, x: x * F.topk(x, k=2, ret_typ="mask"),
        lambda x: x * torch.zeros_like(x).scatter(1, x.topk(2)[1], 1.0),
        "topk mask",
    ),
    _after_dense(lambda F, x: F.take(F.arange(6), F.argsort(x, axis=1)) + x, lambda x: x.argsort(1) + x, "argsort"),
    _after_dense(
        lambda F, x: F.linalg.gemm2(x, x, transpose_b=True).sum(axis=1, keepdims=True) * x,
        lambda x: (x @ x.T).sum(1, keepdim=True) * x,
        "gemm2",
    ),
    _after_dense(
        lambda F, x: F.transpose(F.dot(F.linalg.potrf(F.dot(F.transpose(x), x) + F.eye(6)), F.transpose(x))),
        lambda x: (torch.linalg.cholesky(x.T @ x + torch.eye(6)) @ x.T).T,
        "potrf",
    ),
    _after_dense(lambda F, x: F.linalg.syrk(x, transpose=True).sum() * x, lambda x: (x.T @ x).sum() * x, "syrk"),
    Kind(
        "gather nd",
        gluon(lambda s, F, x: F.gather_nd(s.a(x), F.array([[0, 1, 1], [2, 0, 2]])), a=dense(3, 4)),
        module(lambda s, x: s.a(x)[torch.tensor([0, 1, 1]), torch.tensor([2, 0, 2])], a=linear(4, 3)),
        normal(4),
    ),
    Kind(
        "box iou",
        gluon(lambda s, F, x: (s.a(x), F.contrib.box_iou(F.abs(s.a(x)), F.abs(s.a(x)))), a=dense(4, 4)),
        module(lambda s, x: (s.a(x), iou(s.a(x).abs(), s.a(x).abs())), a=linear(4, 4)),
        normal(4),
    ),
    Kind(
        "priors",
        gluon(lambda s, F, x: (s.a(x), F.contrib.MultiBoxPrior(x, sizes=(0.3, 0.5), ratios=(1, 2, 0.5))), a=conv(4, 3)),
        module(lambda s, x: (s.a(x), prior((0.3, 0.5), (1, 2, 0.5), 6, 5)[None]), a=conv2d(3, 4)),
        normal(3, 6, 5),
    ),
    Kind(
        "priors in the other order",
        gluon(lambda s, F, x: (s.a(x), F.contrib.MultiBoxPrior(x, sizes=(0.3, 0.5), ratios=(1, 2, 0.5))), a=conv(4, 3)),
        module(lambda s, x: (s.a(x), prior((0.3, 0.5), (1, 0.5, 2), 6, 5)[None]), a=conv2d(3, 4)),
        normal(3, 6, 5),
        "differs",
        "forward",
    ),
    _after_conv(lambda F, x: F.Crop(x, offset=(1, 2), h_w=(4, 3)), lambda x: x[:, :, 1:5, 2:5], "crop"),
    _after_conv(
        lambda F, x: F.Crop(x, offset=(1, 2), h_w=(4, 3)),
        lambda x: x[:, :, 2:6, 2:5],
        "crop elsewhere",
        "differs",
        "forward",
    ),
    _after_conv(lambda F, x: F.depth_to_space(x, 2), lambda x: mx_depth_to_space(x, 2), "depth to space"),
    _after_conv(
        lambda F, x: F.depth_to_space(x, 2),
        lambda x: f.pixel_shuffle(x, 2),
        "pixel shuffle",
        "differs",
        "forward",
        channels=8,
    ),
    _after_conv(
        lambda F, x: F.pad(x, mode="reflect", pad_width=(0, 0, 0, 0, 1, 1, 2, 2)),
        lambda x: f.pad(x, (2, 2, 1, 1), mode="reflect"),
        "reflect",
    ),
    _after_conv(
        lambda F, x: F.pad(x, mode="reflect", pad_width=(0, 0, 0, 0, 1, 1, 2, 2)),
        lambda x: f.pad(x, (2, 2, 1, 1)),
        "reflect forgotten",
        "differs",
        "forward",
        ("padding",),
    ),
    _after_conv(lambda F, x: F.moments(x, axes=(2, 3))[1], lambda x: x.var((2, 3), unbiased=False), "moments"),
    _after_conv(
        lambda F, x: F.moments(x, axes=(2, 3))[1], lambda x: x.var((2, 3)), "moments unbiased", "differs", "forward"
    ),
    _after_conv(lambda F, x: F.norm(x, axis=1), lambda x: x.norm(dim=1), "norm"),
]


def iou(a, b):
    left, right = torch.maximum(a[:, None, :2], b[None, :, :2]), torch.minimum(a[:, None, 2:], b[None, :, 2:])
    inside = (right - left).clamp(min=0).prod(-1)
    sizes = [(x[:, 2] - x[:, 0]).clamp(min=0) * (x[:, 3] - x[:, 1]).clamp(min=0) for x in (a, b)]
    union = sizes[0][:, None] + sizes[1][None] - inside
    return torch.where(union > 0, inside / union.clamp(min=1e-30), torch.zeros_like(union))


def mx_depth_to_space(x, size):
    n, c, h, w = x.shape
    x = x.reshape(n, size, size, c // size**2, h, w).permute(0, 3, 4, 1, 5, 2)
    return x.reshape(n, c // size**2, h * size, w * size)


PENDING: list[tuple[str, Kind]] = []
