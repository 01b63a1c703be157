"""Device names as torch writes them ("cpu", "cuda:0"), for MXNet, and which cards its last release can use."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any

import mxnet

CAPABILITIES = ((5, 0), (8, 9))  # mxnet-cu112 has code for sm_50 to sm_86, and none that a driver could translate
RUNS = "mxnet-cu112==1.9.1 runs on NVIDIA cards of compute capability 5.0 to 8.9"


@lru_cache
def context(device: str) -> mxnet.Context:
    """The MXNet context of a device name: "cpu", "cuda" or "cuda:N".

    Raises:
        ValueError: for another name, and for a card that this MXNet cannot use.
    """
    kind, _, index = device.partition(":")
    if kind == "cpu":
        return mxnet.cpu()
    if kind == "cuda":
        require_card(mxnet.runtime.Features().is_enabled("CUDA"), capability(int(index or 0)), device)
        return mxnet.gpu(int(index or 0))
    raise ValueError(f"device {device!r}: expected 'cpu' or 'cuda:N'")


def require_card(built_for_cuda: bool, found: tuple[int, int] | None, device: str) -> None:
    """Raise ValueError unless this MXNet can use a card of that compute capability; None for no card."""
    if not built_for_cuda:
        raise ValueError(f"device {device!r}: this MXNet is built for CPUs alone; {RUNS}")
    if found is None:
        raise ValueError(f"device {device!r}: the driver shows no such card")
    least, most = CAPABILITIES
    if not least <= found <= most:
        raise ValueError(f"device {device!r}: a card of compute capability {found[0]}.{found[1]}; {RUNS}")


def card(device: str) -> dict[str, Any]:
    """The compute capability of a card; empty for "cpu"."""
    kind, _, index = device.partition(":")
    found = capability(int(index or 0)) if kind == "cuda" else None
    return {"compute_capability": f"{found[0]}.{found[1]}"} if found else {}


def capability(index: int) -> tuple[int, int] | None:
    """The compute capability of a card, as the driver tells it; None where there is no driver or no such card."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    device, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(device), index):
        return None
    for value, attribute in ((major, 75), (minor, 76)):  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR
        if driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, device):
            return None
    return major.value, minor.value
