"""MXNet is imported in the test process itself here, where NumPy's deprecation warnings would be errors."""

from __future__ import annotations

import importlib
import warnings

from crossfw.backends.loading import supply_numpy_aliases

supply_numpy_aliases()
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    importlib.import_module("mxnet")
