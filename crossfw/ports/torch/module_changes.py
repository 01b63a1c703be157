"""Supposed differences in modules of a torch model: attributes, forwards and hooks, each with the way back."""

from __future__ import annotations

from typing import Any, Callable

import torch

from crossfw.ports.torch.gru import reset_before
from crossfw.ports.torch.operations import operation


class ModuleChanges:
    """The part of a `Side` that changes its modules; what takes a change back is put into `undo`."""

    model: torch.nn.Module
    undo: list[Callable[[], None]]
    leaves_fed: list  # the model's inputs of the run

    def change_modules(self, changes: dict[str, list[dict]]) -> None:
        """Make the changes of the kinds that modules know.

        Raises:
            KeyError, AttributeError: there is no such module.
        """
        for kind, make in (
            ("set", self.set_values),
            ("before", self.put_before),
            ("after", self.put_after),
            ("instead", self.put_instead),
            ("reset before", self.put_reset),
            ("state", self.put_state),
            ("learns", self.put_learning),
            ("running variance", self.put_variance),
        ):
            for change in changes.get(kind, ()):
                make(change)

    def set_values(self, change: dict) -> None:
        """Other attributes of a module; a pooling layer's single numbers stand for all axes."""
        module = self.model.get_submodule(change["path"])
        for name, value in change["values"].items():
            old = getattr(module, name)
            setattr(module, name, tuple(value) if isinstance(value, list) else value)
            self.undo.append(lambda name=name, old=old: setattr(module, name, old))

    def function(self, told: dict) -> Callable:
        """A small function of one tensor."""
        return operation(told, self.arrays())

    def put_before(self, change: dict) -> None:
        """A function of a module's first argument."""

        def hook(_: Any, inputs: tuple) -> tuple:
            return (self.function(change["operation"])(inputs[0]), *inputs[1:])

        self.undo.append(self.model.get_submodule(change["path"]).register_forward_pre_hook(hook).remove)

    def put_after(self, change: dict) -> None:
        """A function of a module's output, or of the first one."""

        def hook(_: Any, inputs: tuple, output: Any) -> Any:
            function = self.function(change["operation"])
            if isinstance(output, torch.Tensor):
                return function(output)
            return (function(output[0]), *output[1:])

        self.undo.append(self.model.get_submodule(change["path"]).register_forward_hook(hook).remove)

    def put_instead(self, change: dict) -> None:
        """A function in the place of a module."""
        self.replace_forward(change["path"], lambda x, *_, **__: self.function(change["operation"])(x))

    def put_reset(self, change: dict) -> None:
        """A GRU that resets before the product in the place of torch's."""
        self.replace_forward(change["path"], reset_before(self.model.get_submodule(change["path"])))

    def put_state(self, change: dict) -> None:
        """A state for a recurrent layer: the model's own inputs of these numbers, or none."""

        def hook(_: Any, inputs: tuple, keywords: dict) -> tuple:
            kept = {name: value for name, value in keywords.items() if name != "hx"}
            given = [self.leaves_fed[number] for number in change["inputs"]]
            state = tuple(given) if len(given) > 1 else (given[0] if given else None)
            return (inputs[0], state), kept

        handle = self.model.get_submodule(change["path"]).register_forward_pre_hook(hook, with_kwargs=True)
        self.undo.append(handle.remove)

    def replace_forward(self, path: str, forward: Callable) -> None:
        """Another forward for a module."""
        module = self.model.get_submodule(path)
        module.forward = forward
        self.undo.append(lambda: delattr(module, "forward"))

    def put_learning(self, change: dict) -> None:
        """Whether parameters learn."""
        arrays = self.arrays()
        for name in change["names"]:
            old = arrays[name].requires_grad
            arrays[name].requires_grad_(change["value"])
            self.undo.append(lambda array=arrays[name], old=old: array.requires_grad_(old))

    def put_variance(self, change: dict) -> None:
        """The biased running variance in the place of the unbiased one, or the other way round."""
        module, before = self.model.get_submodule(change["path"]), {}

        def remember(_: Any, inputs: tuple) -> None:
            before["old"] = module.running_var.clone()

        def correct(_: Any, inputs: tuple, output: Any) -> None:
            values = inputs[0].numel() // inputs[0].shape[1]
            ratio = (values - 1) / values if change["to"] == "biased" else values / (values - 1)
            kept = (1 - change["momentum"]) * before["old"]
            if module.training:
                module.running_var.data.copy_(kept + (module.running_var.data - kept) * ratio)

        self.undo += [module.register_forward_pre_hook(remember).remove, module.register_forward_hook(correct).remove]
