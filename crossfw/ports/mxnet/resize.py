"""Bilinear resizing as two products with matrices of weights, in the dtype of the image.

The places that are read are those of MXNet's operator (src/operator/contrib/bilinear_resize-inl.h): with
`align_corners` the first and last pixels of both grids lie on each other, without it their borders do.
"""

from __future__ import annotations

from typing import Any

import mxnet as mx
import numpy as np

from crossfw.ports.mxnet.invoke import Invocation


def resized(call: Invocation) -> Any:
    """The image (N, C, H, W) in its new size; None for a mode whose size depends on another image."""
    if call.attribute("mode", "size") != "size" or len(call.inputs) != 1:
        return None
    (image,) = call.inputs
    aligned = call.attribute("align_corners", True)
    sizes = []
    for old, size, scale in zip(image.shape[2:], ("height", "width"), ("scale_height", "scale_width")):
        factor = call.attribute(scale, None)
        sizes.append(int(old * factor) if factor else int(call.attribute(size, 1)))
    rows, columns = (call.array(weights(old, new, aligned), image.dtype) for old, new in zip(image.shape[2:], sizes))
    if call.numpy:
        return mx.np.matmul(mx.np.matmul(rows, image), columns.T)
    wide = mx.nd.dot(image, columns.T)  # (N, C, H, W')
    return mx.nd.swapaxes(mx.nd.dot(mx.nd.swapaxes(wide, 2, 3), rows.T), 2, 3)


def weights(old: int, new: int, aligned: bool) -> np.ndarray:
    """The matrix (new, old) that resizes one axis."""
    steps = np.arange(new, dtype=np.float64)
    if aligned:
        places = steps * ((old - 1) / (new - 1) if new > 1 else 0.0)
    else:
        places = np.maximum((steps + 0.5) * (old / new) - 0.5, 0.0)
    low = np.minimum(places.astype(int), old - 1)
    high = np.minimum(low + 1, old - 1)
    matrix = np.zeros((new, old))
    np.add.at(matrix, (np.arange(new), low), 1 - (places - low))
    np.add.at(matrix, (np.arange(new), high), places - low)
    return matrix
