"""MXNet writes the files that these tests read; its import in the test process would warn, which would be an error."""

from __future__ import annotations

import importlib
import warnings

from crossfw.frameworks.loading import prepare_for_mxnet

prepare_for_mxnet()
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    importlib.import_module("mxnet")
