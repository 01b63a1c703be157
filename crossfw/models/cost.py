"""The least that a step of a model costs, counted from its spec: the limit that no implementation can pass.

**Operations** are those of the matrix products, 2 for each multiplication with its addition; elementwise work is not
counted. A batch costs all of its T x N positions, padding too, as every implementation works on whole arrays.

    inference   each weight matrix times each position; a token's row of W_xh or W_e is looked up, not multiplied
    training    three times that: each product has two more in back-propagation, one for the gradient of its input and
                one for that of its weights. Features that are given need no gradient: their W_xh costs twice.

**Bytes** are those that pass between memory and processor once each, if whatever a step needs at once fits the caches:

    inference   parameters read (of looked-up matrices at most the rows that the batch names)
                + batch read + hidden states of every layer written and read + outputs written and read
    training    parameters read forward (as above), read backward, read and written by the update
                + gradients written and read + each array of the optimizer's state read and written
                + batch and dropout masks read twice
                + what back-propagation keeps of a step (`kept_per_step` of the cell), written and read
                + hidden states read by the layer above + outputs written and read

Tokens count 4 bytes each, everything else has the size of the dtype.
"""

from __future__ import annotations

from dataclasses import dataclass

TOKEN_BYTES = 4


@dataclass(frozen=True)
class Cost:
    """Floating-point operations and bytes moved by one step on a batch."""

    operations: float
    bytes: float

    def seconds(self, operations_per_second: float, bytes_per_second: float) -> tuple[float, str]:
        """The shortest time on a machine of that speed, and what sets it: "operations" or "bytes" (the roofline)."""
        computing, moving = self.operations / operations_per_second, self.bytes / bytes_per_second
        return (computing, "operations") if computing >= moving else (moving, "bytes")


@dataclass(frozen=True)
class Counts:
    """What a spec counts for one batch; all but the products in numbers of one array element.

    Attributes:
        products: multiplications of the forward pass.
        unlearned: those among them whose input needs no gradient.
        parameters: all that learn. looked_up: those among them that the forward pass leaves unread.
        batch: elements of real numbers that go in. tokens: of integers.
        hidden: hidden states that one layer hands to the next, or to the head.
        kept: what back-propagation needs, dropout masks among it.
        outputs: what comes out.
    """

    products: int
    unlearned: int
    parameters: int
    looked_up: int
    batch: int
    tokens: int
    hidden: int
    kept: int
    outputs: int

    def costs(self, itemsize: int, optimizer_arrays: int) -> dict[str, Cost]:
        """The cost by mode, "train" and "infer".

        Args:
            itemsize: bytes of an array element.
            optimizer_arrays: how many the optimizer keeps beside every parameter.
        """
        read = self.parameters - self.looked_up
        infer = read + self.batch + 2 * self.hidden + 2 * self.outputs
        train = read + (5 + 2 * optimizer_arrays) * self.parameters
        train += 2 * self.batch + 2 * self.kept + self.hidden + 2 * self.outputs
        tokens = TOKEN_BYTES * self.tokens
        return {
            "train": Cost(2.0 * (3 * self.products - self.unlearned), float(itemsize * train + 2 * tokens)),
            "infer": Cost(2.0 * self.products, float(itemsize * infer + tokens)),
        }


def batch_elements(batch: dict) -> tuple[int, int]:
    """Elements of real numbers and of integers in a batch of NumPy arrays."""
    real = sum(array.size for array in batch.values() if array.dtype.kind == "f")
    return real, sum(array.size for array in batch.values()) - real
