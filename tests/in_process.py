"""MXNet imported in a test process itself, where NumPy's deprecation warnings would be errors."""

from __future__ import annotations

import importlib
import warnings

from crossfw.frameworks.loading import prepare_for_mxnet


def import_mxnet() -> None:
    """Import it once, its warnings silenced; later imports find it."""
    prepare_for_mxnet()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("mxnet")
