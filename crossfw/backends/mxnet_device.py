"""Device names as torch writes them ("cpu", "cuda:0"), for MXNet."""

from __future__ import annotations

import mxnet


def context(device: str) -> mxnet.Context:
    """The MXNet context of a device name: "cpu", "cuda" or "cuda:N".

    Raises:
        ValueError: for another name.
    """
    kind, _, index = device.partition(":")
    if kind == "cpu":
        return mxnet.cpu()
    if kind == "cuda":
        return mxnet.gpu(int(index or 0))
    raise ValueError(f"device {device!r}: expected 'cpu' or 'cuda:N'")
