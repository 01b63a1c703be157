"""What a verdict rests on: what was tested, and what was not. It stands in the verdict's first lines."""

from __future__ import annotations

from crossfw.verification import epsilon
from crossfw.verification.row import STAGES
from crossfw.verification.stages import Stages

PREFIXES = (  # notes that say what was not compared
    "dropout inside recurrent layers",
    "dropout is switched off",
    "no output is a real number",
    "several updates are judged up to",
    "MXNet's graph",
    epsilon.TITLE,
)
FURTHER = (
    ("inputs times 0.01", "inputs of 1 % of the size"),
    ("inputs times 100", "inputs of 100 times the size"),
    ("wide biases", "biases of 0.1 to 100"),
)
NOT_COMPARED = ": not compared: "


def tested(stages: Stages) -> tuple[str, ...]:
    """Stages by dtype, and what they were given."""
    lines = []
    for dtype in ("float64", "float32"):
        done = [s for s in STAGES if any(row.stage == s and row.dtype == dtype for row in stages.rows)]
        if done:
            lines.append(f"{dtype}: {', '.join(done)}")
    sizes = [draw.size for draw in stages.draws if draw.size is not None]
    words = f"{len(stages.draws)} draws of inputs"
    if sizes:
        words += f", batches of {' and '.join(map(str, dict.fromkeys(sizes)))}"
    if any(row.stage == "several updates" for row in stages.rows):
        words += f", {stages.pair.settings['updates']} updates in a row"
    further = [words_of for part, words_of in FURTHER if any(part in row.run for row in stages.rows)]
    if further:
        words += f"; also {', '.join(further)}, so that clips and thresholds are reached"
    return (*lines, words)


def untested(stages: Stages) -> tuple[str, ...]:
    """Short sentences on what the verdict says nothing about."""
    found = []
    if stages.narrow:
        found.append(f"float64 of {', '.join(stages.narrow)}: MXNet has none, they were computed in float32")
    if not stages.training:
        found.append("training, which the port does not ask for (train_mode)")
    for mode, random in stages.random.items():
        if random:
            found.append(f"{mode}, in which a side draws random numbers of its own")
    if stages.training and stages.backwards and not stages.pair.settings["has_loss"]:
        found.append("a loss: there is none in the port; gradients are those of a fixed sum of the outputs")
    if stages.training and stages.backwards and not stages.pair.settings["has_optimizer"]:
        found.append("an optimizer: there is none in the port; updates are those of plain SGD")
    found += [note for note in stages.notes if note.startswith(PREFIXES) or NOT_COMPARED in note]
    return tuple(found)
