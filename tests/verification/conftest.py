"""MXNet lives in the test process here."""

from __future__ import annotations

from tests.in_process import import_mxnet

import_mxnet()
