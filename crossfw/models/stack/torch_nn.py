"""PyTorch's own layers: one for the whole stack where that can be, else one for each cell, else the cells in loops."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from crossfw.models.stack.spec import Place, StackSpec

NAMES = {"W_xh": "weight_ih", "W_hh": "weight_hh", "b_h": "bias_ih", "b_xh": "bias_ih", "b_hh": "bias_hh"}

UNDER_A_MASK = "under a mask of padding the layers of this stack are stepped cell by cell"
ON_A_CARD = (
    "in float32 on a card the layer is cuDNN's, whose kernels for small layers approximate tanh and sigmoid: 7e-6 away "
    "with all weights zero, where torch's own functions are 1e-7 away"
)


def cell_of(place: Place) -> ModuleType:
    """The room of the place's cell."""
    return import_module(f"crossfw.models.cells.{place.cell}.torch_nn")


def torch_suffix(place: Place) -> str:
    """How nn.RNN and its kin end the names of a layer's and direction's parameters."""
    return f"_l{place.layer}" + ("_reverse" if place.suffix.endswith("_reverse") else "")


def one_hot(tokens: torch.Tensor, count: int, dtype: torch.dtype) -> torch.Tensor:
    """(T, N, count) from tokens (T, N); `F.one_hot` makes integers, and takes twice as long with their conversion."""
    return torch.zeros(*tokens.shape, count, dtype=dtype, device=tokens.device).scatter_(-1, tokens[..., None], 1)


class Stack(nn.Module):
    """The stack of `spec.py`; `notes` says what the library could not carry."""

    def __init__(self, spec: StackSpec, dtype: str):
        super().__init__()
        self.spec, places = spec, spec.all_places
        first, room = places[0], cell_of(places[0])
        reason = room.why_no_layer(first, dtype)
        self.notes = (reason,) if reason else ()
        self.whole, self.layers = None, {}
        cells = {place.suffix: room.make_cell(place) for place in places}
        if reason is not None:
            self.named = nn.ModuleDict({f"cell{torch_suffix(place)}": cells[place.suffix] for place in places})
        elif spec.regular:
            self.whole = room.make_layer(first, dtype, spec.layers, spec.direction == "bidirectional")
        else:
            self.layers = {place.suffix: room.make_layer(place, dtype) for place in places}
            self.named = nn.ModuleDict({f"layer{torch_suffix(place)}": self.layers[place.suffix] for place in places})
            if spec.layers > 1 or len(spec.sizes) > 1:
                self.notes = ("one library layer cannot carry this stack: one for each layer and direction",)
        self.cells = cells
        for place in places:
            self._share(place)

    def _share(self, place: Place) -> None:
        """Let the cell have the layer's parameters; a second bias that the model does not have is frozen."""
        cell = self.cells[place.suffix]
        layer = self.whole if self.whole is not None else self.layers.get(place.suffix)
        ending = torch_suffix(place) if self.whole is not None else "_l0"
        for name in set(NAMES.values()) if layer is not None else ():
            setattr(cell, name, getattr(layer, name + ending))
        if place.biases == 1 and place.spec.RECURRENT:
            cell.bias_hh.requires_grad_(False)

    def parameter_names(self) -> dict[str, nn.Parameter]:
        """The parameters that learn, by canonical name."""
        return {
            f"{place.prefix}{name}{place.suffix}": getattr(
                self.cells[place.suffix], getattr(cell_of(place), "NAMES", NAMES)[name]
            )
            for place in self.spec.all_places
            for name in place.shapes()
        }

    def run(
        self, inputs: torch.Tensor, state: dict, batch: dict, mask: torch.Tensor | None, by_cells: bool = False
    ) -> tuple[torch.Tensor, dict]:
        """Hidden states (T, N, width) of the last layer, and the last state; `batch` may hold dropout masks.

        Args:
            by_cells: step the cells in any case.
        """
        if self.spec.inputs == "tokens":
            inputs = one_hot(inputs, self.spec.input_size, next(self.parameters()).dtype)
        if self.whole is not None and not by_cells:
            return self._run_whole(inputs, state, mask)
        last = {}
        for layer in range(self.spec.layers):
            outputs = []
            for place in self.spec.places(layer):
                one = self._run_layer if self.layers and mask is None and not by_cells else self._run_cell
                if self.layers and mask is not None:
                    self._note(UNDER_A_MASK)
                hidden, end = one(place, inputs, place.state(state), mask)
                outputs.append(hidden)
                last.update(place.named(end))
            inputs = torch.cat(outputs, dim=-1) if len(outputs) > 1 else outputs[0]
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

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes += (text,)

    def _note_card(self, inputs: torch.Tensor) -> None:
        if inputs.is_cuda and inputs.dtype == torch.float32:
            self._note(ON_A_CARD)

    def _run_whole(self, inputs: torch.Tensor, state: dict, mask: torch.Tensor | None) -> tuple[torch.Tensor, dict]:
        """The library's layer; what is padding is packed away before it, and comes back as zeros."""
        self._note_card(inputs)
        places = self.spec.all_places
        names = places[0].spec.STATES
        stacked = tuple(torch.stack([state[name + place.suffix] for place in places]) for name in names)
        steps = len(inputs)
        if mask is not None:
            inputs = pack_padded_sequence(inputs, mask.sum(dim=0).long().cpu(), enforce_sorted=False)
        hidden, end = self.whole(inputs, stacked if len(names) > 1 else stacked[0])
        if mask is not None:
            hidden, _ = pad_packed_sequence(hidden, total_length=steps)
        end = end if len(names) > 1 else (end,)
        return hidden, {
            name + place.suffix: array[i] for i, place in enumerate(places) for name, array in zip(names, end)
        }

    def _run_layer(self, place: Place, inputs: torch.Tensor, state: dict, mask: None) -> tuple[torch.Tensor, dict]:
        self._note_card(inputs)
        inputs = inputs.flip(0) if place.backwards else inputs
        first = tuple(value[None] for value in state.values())
        hidden, end = self.layers[place.suffix](inputs, first if len(first) > 1 else first[0])
        end = end if len(first) > 1 else (end,)
        return hidden.flip(0) if place.backwards else hidden, {name: array[0] for name, array in zip(state, end)}

    def _run_cell(
        self, place: Place, inputs: torch.Tensor, state: dict, mask: torch.Tensor | None
    ) -> tuple[torch.Tensor, dict]:
        step, cell, hidden = cell_of(place).step, self.cells[place.suffix], []
        steps = list(enumerate(inputs.unbind()))
        for t, x in reversed(steps) if place.backwards else steps:
            new = step(cell, x, state)
            if mask is None:
                hidden.append(new["h"])
                state = {name: new[name] for name in state}
            else:
                real = mask[t][:, None] > 0
                hidden.append(torch.where(real, new["h"], torch.zeros_like(new["h"])))
                state = {name: torch.where(real, new[name], old) for name, old in state.items()}
        return torch.stack(hidden[::-1] if place.backwards else hidden), state
