"""Settings of matched layers as evidence: what they were made with, whether or not numbers happen to show it."""

from __future__ import annotations

from collections.abc import Iterator

from crossfw.matching.match import Mapping
from crossfw.verification.row import Row

NEAR = 1e-6  # of two settings of which one may have been a C float
NORMS = ("batch_norm", "layer_norm", "instance_norm", "group_norm")


def setting_rows(mapping: Mapping, dtype: str) -> list[Row]:
    """A row for each epsilon of two norms of one kind; equal or different."""
    return list(_epsilons(mapping, dtype))


def _epsilons(mapping: Mapping, dtype: str) -> Iterator[Row]:
    for pair in mapping.pairs:
        ours, theirs = pair.torch.settings.get("eps"), pair.mxnet.settings.get("eps")
        if pair.mxnet.kind != pair.torch.kind or pair.mxnet.kind not in NORMS or ours is None or theirs is None:
            continue
        error = abs(float(ours) - float(theirs)) / max(abs(float(theirs)), 1e-300)
        grade = "equal" if error <= NEAR else "different"
        note = "" if grade == "equal" else f"eps={float(ours):g} where MXNet's layer has {float(theirs):g}"
        names = f"{pair.torch.path}.eps", f"{pair.mxnet.path}.eps"
        yield Row("forward", *names, dtype, "settings", error, NEAR, grade, note=note)
