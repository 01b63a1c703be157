"""Functions of d2l on images: cross-correlation, anchor boxes, the labels of segmentation."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from audits.d2l.case import AuditCase, Computation


def alike(draw: Callable, call: Callable, dtype: str = "float64") -> Computation:
    """The same call on both modules."""
    return Computation(draw, call, call, dtype)


def _corners(rng: Any, count: int) -> np.ndarray:
    """Boxes (count, 4) as (x1, y1, x2, y2) with x1 < x2, y1 < y2, in the unit square."""
    low = rng.uniform(0, 0.6, (count, 2))
    return np.concatenate([low, low + rng.uniform(0.1, 0.4, (count, 2))], axis=1)


def _boxes(rng: Any) -> dict:
    return {"a": _corners(rng, 6), "b": _corners(rng, 4)}


def _labelled(rng: Any) -> dict:
    labels = np.stack([np.concatenate([rng.integers(0, 3, (3, 1)), _corners(rng, 3)], axis=1) for _ in range(2)])
    return {"anchors": _corners(rng, 8)[None], "labels": labels}


def _detected(rng: Any) -> dict:
    probabilities = rng.uniform(0.01, 1, (2, 4, 8))
    return {
        "probabilities": probabilities / probabilities.sum(axis=1, keepdims=True),
        "offsets": 0.1 * rng.standard_normal((2, 32)),
        "anchors": _corners(rng, 8)[None],
    }


def _colours(rng: Any) -> dict:
    palette = np.array([[0, 0, 0], [128, 0, 0], [64, 128, 128], [0, 64, 128], [1, 2, 3]])
    return {"image": palette[rng.integers(0, len(palette), (3, 4))]}


def _label_indices(d2l: Any, image: Any) -> Any:
    return d2l.voc_label_indices(image, d2l.voc_colormap2label())


def _table(d2l: Any, _: dict) -> Any:
    """Where d2l's table of colours is not 0, and what stands there."""
    table = d2l.voc_colormap2label()
    table = table.asnumpy() if hasattr(table, "asnumpy") else table.numpy()
    places = np.nonzero(table)[0]
    return [len(table), places, table[places]]


CASES = (
    AuditCase(
        "corr2d",
        computation=alike(
            lambda rng: {"X": rng.standard_normal((5, 6)), "K": rng.standard_normal((2, 3))},
            lambda d2l, a: d2l.corr2d(a["X"], a["K"]),
            "float32",
        ),
        note="in float32: the result is allocated so in both (mxnet.py:565, torch.py:551)",
    ),
    AuditCase("box_corner_to_center", computation=alike(_boxes, lambda d2l, a: d2l.box_corner_to_center(a["a"]))),
    AuditCase("box_center_to_corner", computation=alike(_boxes, lambda d2l, a: d2l.box_center_to_corner(a["a"]))),
    AuditCase("box_iou", computation=alike(_boxes, lambda d2l, a: d2l.box_iou(a["a"], a["b"]))),
    AuditCase(
        "multibox_prior",
        computation=alike(
            lambda rng: {"data": rng.standard_normal((1, 3, 4, 5))},
            lambda d2l, a: d2l.multibox_prior(a["data"], [0.75, 0.5, 0.25], [1, 2, 0.5]),
            "float32",
        ),
    ),
    AuditCase(
        "assign_anchor_to_bbox",
        computation=alike(_boxes, lambda d2l, a: d2l.assign_anchor_to_bbox(a["b"], a["a"], d2l.cpu(), 0.3), "float32"),
    ),
    AuditCase("offset_boxes", computation=alike(_boxes, lambda d2l, a: d2l.offset_boxes(a["a"][:4], a["b"]))),
    AuditCase(
        "offset_inverse",
        computation=alike(
            lambda rng: {"anchors": _corners(rng, 6), "offsets": rng.standard_normal((6, 4))},
            lambda d2l, a: d2l.offset_inverse(a["anchors"], a["offsets"]),
        ),
    ),
    AuditCase(
        "multibox_target",
        computation=alike(_labelled, lambda d2l, a: d2l.multibox_target(a["anchors"], a["labels"]), "float32"),
    ),
    AuditCase(
        "nms",
        computation=alike(
            lambda rng: {"boxes": _corners(rng, 8), "scores": rng.permutation(8) / 8.0},
            lambda d2l, a: d2l.nms(a["boxes"], a["scores"], 0.2),
        ),
    ),
    AuditCase(
        "multibox_detection",
        computation=alike(
            _detected,
            lambda d2l, a: d2l.multibox_detection(a["probabilities"], a["offsets"], a["anchors"], 0.3),
            "float32",
        ),
    ),
    AuditCase("voc_colormap2label", computation=alike(lambda rng: {}, _table)),
    AuditCase(
        "voc_label_indices",
        computation=Computation(
            _colours,
            lambda d2l, a: _label_indices(d2l, a["image"]),
            lambda d2l, a: _label_indices(d2l, a["image"].permute(2, 0, 1)),
        ),
        note="images are (height, width, 3) in MXNet, (3, height, width) in torch (mxnet.py:1888, torch.py:1881)",
    ),
)
