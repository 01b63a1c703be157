"""The strategy that draws specifications."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.mutants.ports.random import torch_models
from tests.mutants.ports.random.spec import Layer, Spec
from tests.mutants.ports.random.torch_models import shape_after

EPSILONS = st.sampled_from([2.0**-17, 2.0**-10, 2.0**-6])  # exact in MXNet, which holds most as C floats
FEW = 4  # values per channel that a normalization needs, so that it is well conditioned


@st.composite
def convolutions(draw, shape: tuple[int, ...], transposed: bool) -> Layer:
    """No number that comes out is a bias alone: those would be equal, and the largest not a single one."""
    dimensions, size = len(shape) - 2, shape[1]
    groups = draw(st.sampled_from([g for g in (1, 2, 4, size) if size % g == 0]))
    stride, window = draw(st.integers(1, 2)), draw(st.integers(2, 3))
    settings = {
        "dimensions": dimensions,
        "size": size,
        "channels": groups * draw(st.integers(1, max(1, 6 // groups))),
        "window": window,
        "stride": stride,
        "padding": draw(st.integers(0, 1)),
        "dilation": draw(st.integers(1, 1 if transposed and (stride > 1 or dimensions == 3) else 2)),
        "groups": groups,
        "bias": draw(st.booleans()),
        "more": draw(st.integers(0, min(stride - 1, window - stride))) if transposed else 0,
    }
    return Layer("conv_transpose" if transposed else "conv", settings)


@st.composite
def pools(draw, shape: tuple[int, ...]) -> Layer:
    """With padding <= window - stride, so that both conventions of rounding up emit the same windows.

    MXNet's gradient of an average over cut windows is wrong in float32 where the border counts: not drawn.
    """
    window, ceil = draw(st.integers(1, 3)), draw(st.booleans())
    stride = draw(st.integers(1, window))
    settings = {
        "dimensions": len(shape) - 2,
        "window": window,
        "stride": stride,
        "padding": draw(st.integers(0, min(window // 2, window - stride))),
        "ceil": ceil,
        "border": not ceil and draw(st.booleans()),
    }
    return Layer(draw(st.sampled_from(["max_pool", "avg_pool"])), settings)


@st.composite
def norms(draw, shape: tuple[int, ...], start: str) -> Layer | None:
    size = shape[-1] if start == "sequence" else shape[1]
    values = 1
    for n in shape[2:]:
        values *= n
    kinds = ["layer_norm"] if start in ("sequence", "vector") and size >= FEW else []
    if start != "sequence" and shape[0] * values >= FEW:
        kinds.append("batch_norm")
    if start == "image":
        kinds += ["group_norm"] if values >= FEW else []
        kinds += ["instance_norm"] if values >= FEW else []
    if not kinds:
        return None
    kind = draw(st.sampled_from(kinds))
    settings = {"size": size, "eps": draw(EPSILONS), "dimensions": len(shape) - 2}
    if kind == "batch_norm":
        settings.update(scale=draw(st.booleans()), center=draw(st.booleans()))
    if kind == "group_norm":
        settings["groups"] = draw(st.sampled_from([g for g in (1, 2, 3) if size % g == 0]))
    return Layer(kind, settings)


@st.composite
def recurrent(draw, shape: tuple[int, ...], axis: int) -> Layer:
    size, cell = shape[-1], draw(st.sampled_from(["rnn", "lstm", "gru"]))
    settings = {"cell": cell, "size": size, "units": draw(st.integers(3, 6)), "axis": axis}
    if draw(st.booleans()):
        return Layer("cell", settings)
    return Layer("recurrent", {**settings, "layers": draw(st.integers(1, 2)), "both": draw(st.booleans())})


@st.composite
def plain(draw, shape: tuple[int, ...], start: str) -> Layer:
    """A layer that keeps the shape and does not depend on the axes."""
    kind = draw(st.sampled_from(["activation", "activation", "prelu", "dropout", "scale"]))
    settings = {
        "activation": {"name": draw(st.sampled_from(sorted(torch_models.ACTIVATIONS)))},
        "prelu": {},
        "dropout": {"rate": draw(st.sampled_from([0.125, 0.25, 0.5]))},
        "scale": {"size": shape[1]},
    }[kind]
    return Layer(kind, settings)


@st.composite
def keeping(draw, shape: tuple[int, ...], start: str) -> tuple[Layer, ...]:
    """Layers that keep the shape, for a branch."""
    if start == "image":
        settings = {"dimensions": len(shape) - 2, "size": shape[1], "channels": shape[1], "window": 3, "stride": 1}
        settings.update(padding=1, dilation=1, groups=1, bias=draw(st.booleans()), more=0)
        first = Layer("conv", settings)
    else:
        first = Layer("dense", {"size": shape[-1], "units": shape[-1], "bias": draw(st.booleans())})
    return (first, draw(plain(shape, start)))


@st.composite
def structures(draw, shape: tuple[int, ...], start: str) -> Layer:
    """A residual branch, or two branches of equal shapes, which torch may run in the other order.

    MXNet's float32 gradient before a residual convolution of volumes was found 1 % off at one number: not drawn.
    """
    if len(shape) < 5 and draw(st.booleans()):
        return Layer("residual", parts=(draw(keeping(shape, start)),))
    branch = draw(keeping(shape, start))
    # Masks of dropout are shared by their order: with it both sides run the branches in one order.
    crossed = draw(st.booleans()) and all(layer.kind != "dropout" for layer in branch)
    return Layer("parallel", {"crossed": crossed}, (branch, branch))


@st.composite
def next_layer(draw, shape: tuple[int, ...], start: str, axis: int) -> Layer | None:
    choices = {
        "image": ["conv", "conv", "conv_transpose", "pool", "norm", "plain", "plain", "structure"],
        "vector": ["dense", "dense", "norm", "plain", "structure", "tied"],
        "sequence": ["recurrent", "recurrent", "dense", "norm", "plain", "structure", "tied"],
    }[start]
    kind = draw(st.sampled_from(choices))
    if kind in ("conv", "conv_transpose"):
        return draw(convolutions(shape, kind == "conv_transpose"))
    if kind == "dense":
        return Layer("dense", {"size": shape[-1], "units": draw(st.integers(3, 8)), "bias": draw(st.booleans())})
    if kind == "tied":
        return Layer("tied", {"size": shape[-1]})
    if kind == "recurrent":
        return draw(recurrent(shape, axis))
    return draw({"pool": pools, "norm": norms, "plain": plain, "structure": structures}[kind](
        *([shape] if kind == "pool" else [shape, start])
    ))  # fmt: skip


def fits(layer: Layer, shape: tuple[int, ...]) -> bool:
    """Whether a window lies wholly in the padded array: MXNet refuses one that does not, torch may round it up."""
    if "pool" not in layer.kind or "window" not in layer.settings:
        return True
    return min(shape[2:]) + 2 * layer.settings["padding"] >= layer.settings["window"]


@st.composite
def true_ports(draw) -> Spec:
    """A specification of a network with a handful of layers."""
    start = draw(st.sampled_from(["image", "image", "vector", "sequence", "words"]))
    axis = draw(st.integers(0, 1))  # of time
    tokens = draw(st.integers(5, 12))
    shape = {
        "image": (3, draw(st.integers(1, 4)), *[draw(st.integers(5, 7))] * draw(st.integers(1, 3))),
        "vector": (6, draw(st.integers(3, 8))),
        "sequence": (draw(st.integers(3, 5)), draw(st.integers(3, 5)), draw(st.integers(3, 6))),
        "words": (draw(st.integers(3, 5)), draw(st.integers(3, 5))),
    }[start]
    layers, state, now = [], start, shape
    if start == "words":
        layers.append(Layer("embedding", {"tokens": tokens, "size": draw(st.integers(3, 6))}))
        state, now = "sequence", (*shape, layers[0].settings["size"])
    for _ in range(draw(st.integers(2, 6))):
        layer = draw(next_layer(now, state, axis))
        after = None if layer is None or not fits(layer, now) else shape_after(layer, now)
        if after is not None and min(after) > 0 and max(after) < 64:
            layers.append(layer)
            now = after
    end, now = draw(to_vector(start, now, axis))
    layers += [*end, Layer("dense", {"size": now[-1], "units": 4, "bias": True})]
    return Spec(
        start=start,
        shape=shape,
        tokens=tokens,
        layers=tuple(layers),
        mxnet_order=draw(st.integers(0, 3)),
        torch_order=draw(st.integers(0, 3)),
        prefix=draw(st.sampled_from(["part", "layer", "b"])),
        loss=draw(st.sampled_from([None, *sorted(torch_models.LOSSES)])),
        optimizer=draw(st.sampled_from(["default", "momentum", "nesterov"])),
    )


@st.composite
def to_vector(draw, start: str, shape: tuple[int, ...], axis: int) -> tuple[list[Layer], tuple[int, ...]]:
    """Layers that give one vector per sample, and its shape.

    Words repeat, and so would the largest numbers: MXNet then gives each the whole gradient, torch a part.
    """
    if start == "vector":
        return [], shape
    if start in ("sequence", "words"):
        how = draw(st.sampled_from(["mean", "last"] + (["max"] if start == "sequence" else [])))
        layers = [Layer("over_time", {"how": how, "axis": axis})]
    else:
        layers = [Layer("flatten")]
        if draw(st.booleans()):
            # The largest of a volume is left out: its gradient fails in MXNet's float32 behind a batch normalization.
            kinds = ["global_avg"] + (["global_max"] if len(shape) < 5 else [])
            layers.insert(0, Layer(draw(st.sampled_from(kinds)), {"dimensions": len(shape) - 2}))
    for layer in layers:
        shape = shape_after(layer, shape)
    return layers, shape
