"""Gluon's own layers: one for the whole stack where that can be, else one for each cell, else the cells in loops."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType, ModuleType

from mxnet import gluon, nd
from mxnet.gluon import nn

from crossfw.models.stack.spec import Place, StackSpec

NAMES = {"W_xh": "i2h_weight", "W_hh": "h2h_weight", "b_h": "i2h_bias", "b_xh": "i2h_bias", "b_hh": "h2h_bias"}


UNDER_A_MASK = "gluon's layers take no valid lengths on the CPU: steps gluon's cells over the padded sequences"


def cell_of(place: Place) -> ModuleType:
    """The room of the place's cell."""
    return import_module(f"crossfw.models.cells.{place.cell}.mxnet_gluon")


def gluon_prefix(place: Place) -> str:
    """How gluon.rnn's layers begin the names of a layer's and direction's parameters."""
    return ("r" if place.suffix.endswith("_reverse") else "l") + f"{place.layer}_"


def with_gradient(inputs: nd.NDArray) -> nd.NDArray:
    """The same inputs, as something that a gradient is wanted for.

    MXNet's own fused layers (float64, or without oneDNN) otherwise leave the gradients of all layers but the last as
    whatever the memory held, as they are computed on the way to that of the input.
    """
    inputs = inputs.copy()
    inputs.attach_grad()
    return inputs


def unstack(array: nd.NDArray) -> list[nd.NDArray]:
    """The slices along the first axis by one `split`: the backward of indexing fills a whole zero array per step."""
    slices = nd.split(array, num_outputs=len(array), axis=0, squeeze_axis=True)
    return slices if isinstance(slices, list) else [slices]


class Stack(nn.Sequential):
    """The stack of `spec.py`; `notes` says what the library could not carry."""

    def __init__(self, spec: StackSpec, dtype: str):
        super().__init__()
        self.spec, self.dtype, places = spec, dtype, spec.all_places
        first, room = places[0], cell_of(places[0])
        reason = room.why_no_layer(first, dtype)
        self.notes = (reason,) if reason else ()
        self.whole, self.layers = None, {}
        if reason is not None:
            cells = {place.suffix: room.make_cell(place) for place in places}
            self.add(*cells.values())
        elif spec.regular and not room.why_no_stack(spec.layers, dtype):
            layer = room.make_layer(first, dtype, spec.layers, spec.direction == "bidirectional")
            self.add(layer)
            if spec.layers > 1:
                self.notes = ("gluon's fused layers miss the gradients of lower layers unless the input has one too",)
            self.whole = (layer,)  # in a tuple, lest it be registered twice
            cells = {place.suffix: self._sharing_cell(place, layer, gluon_prefix(place)) for place in places}
        else:
            self.layers = {place.suffix: room.make_layer(place, dtype) for place in places}
            self.add(*self.layers.values())
            cells = {place.suffix: self._sharing_cell(place, self.layers[place.suffix], "l0_") for place in places}
            if spec.layers > 1 or len(spec.sizes) > 1:
                why = room.why_no_stack(spec.layers, dtype) or "one library layer cannot carry this stack"
                self.notes = (f"{why}: one for each layer and direction",)
        self.cells = MappingProxyType(cells)  # no dict, in which Gluon would miss the registration of its blocks
        for place in places:
            if place.biases == 1 and place.spec.RECURRENT:
                self.cells[place.suffix].h2h_bias.grad_req = "null"  # a bias that the model does not have

    def _sharing_cell(self, place: Place, layer: gluon.Block, prefix: str) -> gluon.Block:
        """A cell with the layer's parameters."""
        shared = gluon.ParameterDict(f"{layer.prefix}{prefix}")
        shared.update(layer.params)
        return cell_of(place).make_cell(place, params=shared)

    def parameter_names(self) -> dict[str, gluon.Parameter]:
        """The parameters that learn, by canonical name."""
        return {
            f"{place.prefix}{name}{place.suffix}": getattr(
                self.cells[place.suffix], getattr(cell_of(place), "NAMES", NAMES)[name]
            )
            for place in self.spec.all_places
            for name in place.shapes()
        }

    def run(
        self, inputs: nd.NDArray, state: dict, batch: dict, mask: nd.NDArray | None, by_cells: bool = False
    ) -> tuple[nd.NDArray, dict]:
        """Hidden states (T, N, width) of the last layer, and the last state; `batch` may hold dropout masks.

        Args:
            by_cells: step the cells in any case.
        """
        if self.spec.inputs == "tokens":
            inputs = with_gradient(nd.one_hot(inputs, self.spec.input_size, dtype=self.dtype))
        if self.whole is not None and mask is None and not by_cells:
            return self._run_whole(inputs, state)
        if mask is not None and UNDER_A_MASK not in self.notes and (self.whole or self.layers):
            self.notes += (UNDER_A_MASK,)
        last = {}
        for layer in range(self.spec.layers):
            outputs = []
            for place in self.spec.places(layer):
                one = self._run_layer if self.layers and mask is None and not by_cells else self._run_cell
                hidden, end = one(place, inputs, place.state(state), mask)
                outputs.append(hidden)
                last.update(place.named(end))
            inputs = nd.concat(*outputs, dim=-1) if len(outputs) > 1 else outputs[0]
            keep = batch.get(f"{self.spec.prefix}keep_l{layer}")
            if keep is not None:
                inputs = inputs * keep
        return inputs, last

    @property
    def steps_cells(self) -> bool:
        """Whether cells are stepped one by one instead of whole layers; under a mask, once it has been run."""
        return bool(self.spec.all_places[0].spec.RECURRENT and self.whole is None and not self.layers) or (
            UNDER_A_MASK in self.notes
        )

    def _run_whole(self, inputs: nd.NDArray, state: dict) -> tuple[nd.NDArray, dict]:
        places = self.spec.all_places
        names = places[0].spec.STATES
        stacked = [nd.stack(*[state[name + place.suffix] for place in places]) for name in names]
        hidden, end = self.whole[0](inputs, stacked)
        return hidden, {
            name + place.suffix: array[i] for i, place in enumerate(places) for name, array in zip(names, end)
        }

    def _run_layer(self, place: Place, inputs: nd.NDArray, state: dict, mask: None) -> tuple[nd.NDArray, dict]:
        inputs = nd.flip(inputs, axis=0) if place.backwards else inputs
        first = [value.expand_dims(0) for value in state.values()]
        hidden, end = self.layers[place.suffix](inputs, first)
        return nd.flip(hidden, axis=0) if place.backwards else hidden, {
            name: array[0] for name, array in zip(state, end)
        }

    def _run_cell(
        self, place: Place, inputs: nd.NDArray, state: dict, mask: nd.NDArray | None
    ) -> tuple[nd.NDArray, dict]:
        step, cell, hidden = cell_of(place).step, self.cells[place.suffix], []
        steps = list(enumerate(unstack(inputs)))
        for t, x in reversed(steps) if place.backwards else steps:
            new = step(cell, x, state)
            if mask is None:
                hidden.append(new["h"])
                state = {name: new[name] for name in state}
            else:
                real = mask[t]
                hidden.append(nd.where(real, new["h"], nd.zeros_like(new["h"])))
                state = {name: nd.where(real, new[name], old) for name, old in state.items()}
        return nd.stack(*(hidden[::-1] if place.backwards else hidden)), state
