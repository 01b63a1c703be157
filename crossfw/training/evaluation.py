"""What a trained model can do: measures on every split, and what it writes, as a reader wants to see it.

Runs in the parent. The models answer with classes and tokens; the counting is the data's (`crossfw.data`).
"""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from crossfw.data import (
    ContextDataset,
    DataSpec,
    GenerationDataset,
    TaggingDataset,
    TranslationDataset,
)
from crossfw.data.schemes import BLANK, PADDED_WORDS
from crossfw.measures import nearest_of_the_same_sense, repetition, sense_distances
from crossfw.task import Task

SAMPLE_SEED = 0
SHOWN = 3  # examples of a split
BEAM = 3
GENERATED_NOTES = 24


class Evaluation:
    """The measures and the samples of a trained model.

    Attributes:
        measures: {"measure", "value"}; a measure names its split, and its decoding where there are several.
        samples: {"prefix", "expected", "decoding", "text"}.
    """

    def __init__(self, call: Callable[..., Any], task: Task, dataset: Any):
        self.call, self.task, self.dataset = call, task, dataset
        self.measures: list[dict] = []
        self.samples: list[dict] = []
        if isinstance(task.data, DataSpec):
            self._continue_text()
        elif isinstance(dataset, TranslationDataset):
            self._translate()
        else:
            self._predict()
        if isinstance(dataset, TaggingDataset) and dataset.spec.corpus == "names":
            self._tell_the_pair_apart()
        if isinstance(dataset, ContextDataset):
            self._compare_senses()
        if isinstance(dataset, GenerationDataset):
            self._compose()

    def _continue_text(self) -> None:
        wanted, vocabulary = self.task.generate, self.dataset.vocabulary
        if wanted is None:
            return
        joint = "" if self.dataset.spec.unit == "character" else " "
        prefix = vocabulary.encode(list(wanted.prefix) if joint == "" else wanted.prefix.split())
        for decoding, temperature in (("greedy", 0.0), ("sampled", wanted.temperature)):
            ids = self.call("generate", prefix=prefix, count=wanted.count, temperature=temperature, seed=SAMPLE_SEED)
            self._sample(wanted.prefix, decoding, wanted.prefix + joint + joint.join(vocabulary.decode(ids)))
            self._measure(f"repetition of the {decoding} text", repetition(ids.tolist()))

    def _predict(self) -> None:
        for split, batches in self._splits():
            predictions = self.call("predict", batches=[batch.arrays() for batch in batches])
            self._judge(predictions, split, f"{split} data")

    def _translate(self) -> None:
        spec, dataset = self.task.data, self.dataset
        for split, batches in self._splits():
            for decoding, beam in (("greedy", 1), (f"beam of {BEAM}", BEAM)):
                predictions = [
                    self.call(
                        "decode",
                        source=batch.source,
                        source_mask=batch.source_mask,
                        start=dataset.start,
                        end=dataset.end,
                        steps=len(batch.targets),
                        beam=beam,
                    )
                    for batch in batches
                ]
                self._judge(predictions, split, f"{split} data, {decoding}")
            if spec.scheme == PADDED_WORDS:
                blank = dataset.vocabularies["input"].index(BLANK)
                blind = [self._blinded(batch.arrays(), blank) for batch in batches]
                self._judge(self.call("predict", batches=blind), split, f"{split} data, blanks fed in, as published")

    @staticmethod
    def _blinded(batch: dict, blank: int) -> dict:
        """The decoder's inputs replaced by blanks after the start token."""
        inputs = np.full_like(batch["inputs"], blank)
        inputs[0] = batch["inputs"][0]
        return {**batch, "inputs": inputs}

    def _splits(self) -> list[tuple[str, list]]:
        """Validation and test, or where there is nothing held out the training data."""
        held_out = [(split, self.dataset.batches(split)) for split in ("validation", "test")]
        found = [(split, batches) for split, batches in held_out if batches]
        return found or [("training", self.dataset.batches("training"))]

    def _judge(self, predictions: list[np.ndarray], split: str, how: str) -> None:
        for name, value in self.dataset.measures(predictions, split).items():
            self._measure(f"{name} ({how})", value)
        for shown in self.dataset.show(predictions, split, SHOWN):
            self._sample(shown["input"], how, shown["predicted"], shown["expected"])

    def _tell_the_pair_apart(self) -> None:
        """Two sentences that are the same up to a word which is a name in the first one only."""
        batch, position = self.dataset.pair()
        if position >= len(batch.inputs):
            return  # the sentences are cut before the word
        arrays = batch.arrays()
        state = self.call("initial_state", batch_size=arrays["inputs"].shape[1])
        output = self.call("forward", batch=arrays, state=state)["activations"]["output"].astype(np.float64)
        right = output[position].argmax(axis=-1) == batch.targets[position]
        up_to = output[: position + 1]
        self._measure("of two Teddies right", float(right.sum()))
        self._measure("outputs of both Teddies differ by", float(np.abs(up_to[:, 0] - up_to[:, 1]).max()))

    def _compare_senses(self) -> None:
        probes, states = self.dataset.probes(), []
        if not probes.batches:
            return
        for batch in probes.batches:
            arrays = batch.arrays()
            state = self.call("initial_state", batch_size=arrays["inputs"].shape[1])
            states.append(self.call("forward", batch=arrays, state=state)["activations"]["hidden"])
        vectors, apart, words = probes.vectors(states), [], list(dict.fromkeys(probes.words))
        for word in words:
            mine = [i for i, other in enumerate(probes.words) if other == word]
            senses = [probes.senses[i] for i in mine]
            if len(set(senses)) < 2:
                continue
            found = sense_distances(vectors[mine], senses)
            apart.append(found["between senses"] > found.get("within a sense", 0.0))
            for name in ("between senses", "within a sense"):
                if name in found:
                    self._measure(f"distance of “{word}” {name}", found[name])
            if min(map(senses.count, senses)) > 1:
                self._measure(f"nearest “{word}” of the same sense", nearest_of_the_same_sense(vectors[mine], senses))
        if apart:
            self._measure("words whose senses lie further apart than uses of one sense", float(np.mean(apart)))

    def _compose(self) -> None:
        inputs, outputs = self.dataset.vocabularies["input"], self.dataset.vocabularies["output"]
        for genre in self.dataset.genres:
            start = np.array([inputs.index(genre)])
            ids = self.call("generate", prefix=start, count=GENERATED_NOTES, temperature=0.0, seed=SAMPLE_SEED)
            self._sample(genre, "free-running, greedy", " ".join(outputs.decode(ids)))

    def _measure(self, measure: str, value: float) -> None:
        self.measures.append({"measure": measure, "value": value})

    def _sample(self, prefix: str, decoding: str, text: str, expected: str = "") -> None:
        self.samples.append({"prefix": prefix, "expected": expected, "decoding": decoding, "text": text})
