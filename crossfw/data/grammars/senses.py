"""Sentences with words of two senses: the same word, told apart only by what stands around it, before or after.

Sentences are who, what leads to the word, the word, what follows. What leads and what follows is neutral or speaks of
one sense; at least one of both speaks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossfw.data.examples import Example, Examples, draw_splits
from crossfw.data.grammars import pick, words
from crossfw.data.settings import SequenceSpec

SIZES = (2000, 200, 240)
MONEY, RIVER = "bank of money", "bank of a river"


@dataclass(frozen=True)
class _Sense:
    """A sense, and what leads to the word and follows it where this sense is meant."""

    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]


# Per word: what leads to it in either sense, and the two senses.
_WORDS: dict[str, tuple[tuple[str, ...], _Sense, _Sense]] = {
    "bank": (
        ("went to the", "walked to the", "stood at the", "came back from the"),
        _Sense(
            MONEY,
            ("borrowed money from the", "opened an account at the", "paid the bill at the", "changed notes at the"),
            (
                "to deposit cash",
                "to open an account",
                "to ask for a loan",
                "where the clerks count coins",
                "and signed the cheque",
                "because the rates were low",
            ),
        ),
        _Sense(
            RIVER,
            ("tied the boat to the", "swam to the", "fished from the", "slipped on the muddy"),
            (
                "to sit down",
                "to catch a fish",
                "to look at the ducks",
                "where the reeds grow",
                "and watched the water",
                "because the stream was high",
            ),
        ),
    ),
    "bat": (
        ("saw the", "pointed at the", "was afraid of the", "drew a picture of the"),
        _Sense(
            "bat that flies",
            ("woke up the sleeping", "heard the wings of the", "found in the cave a"),
            ("that hangs in the cave", "flying over the barn", "as it hunted moths", "with its tiny ears"),
        ),
        _Sense(
            "bat for a ball",
            ("hit the ball with the", "took the wooden", "bought for the game a"),
            ("of the best player", "leaning at the goal", "before the game began", "made of willow wood"),
        ),
    ),
    "letter": (
        ("looked at the", "asked about the", "noticed a strange", "remembered the"),
        _Sense(
            "letter in the post",
            ("put a stamp on the", "received from abroad a", "sealed and posted the"),
            ("in the envelope", "that the postman brought", "and wrote an answer", "from an old friend"),
        ),
        _Sense(
            "letter of the alphabet",
            ("could not pronounce the", "spelled the name without the", "painted a capital"),
            ("of the alphabet", "at the end of the word", "between two vowels", "in the first line of print"),
        ),
    ),
    "seal": (
        ("saw the", "looked closely at the", "took a photograph of the", "asked about the"),
        _Sense(
            "seal in the sea",
            ("threw a fish to the", "swam beside the", "heard the bark of a"),
            ("resting on the ice", "that dived under the waves", "with its wet whiskers", "and its hungry pup"),
        ),
        _Sense(
            "seal of wax",
            ("closed the envelope with a", "broke the red", "pressed into the wax a"),
            ("of the royal court", "on the old document", "under the signature", "made by the notary"),
        ),
    ),
    "match": (
        ("talked about the", "waited for the", "lost the", "remembered the last"),
        _Sense(
            "match of a game",
            ("bought tickets for the", "scored twice in the", "trained hard for the"),
            ("between the two teams", "which ended in a draw", "in the stadium", "with a new goalkeeper"),
        ),
        _Sense(
            "match for a fire",
            ("lit the candle with a", "struck the", "burnt a finger on the"),
            ("to light the stove", "from the little box", "before the flame went out", "that was too wet to burn"),
        ),
    ),
    "palm": (
        ("looked at the", "touched the", "drew the", "pointed to the"),
        _Sense(
            "palm of a hand",
            ("held the coin in the", "read the future in the", "pressed a finger on the"),
            ("of the left hand", "and counted the fingers", "that was rough from work", "below the thumb"),
        ),
        _Sense(
            "palm of the south",
            ("sat in the shade of the", "picked dates from the", "planted at the beach a"),
            ("with its long leaves", "that bends in the sea wind", "full of coconuts", "beside the oasis"),
        ),
    ),
    "crane": (
        ("watched the", "pointed at the", "stood below the", "painted the"),
        _Sense(
            "crane that flies",
            ("counted the eggs of the", "heard in the marsh a", "followed the flight of the"),
            ("nesting in the marsh", "with its grey feathers", "before it flew south", "standing on one leg"),
        ),
        _Sense(
            "crane that lifts",
            ("lifted the beams with the", "rented for the building site a", "climbed up the steel"),
            ("of the building company", "that carried the bricks", "with its heavy hook", "beside the new tower"),
        ),
    ),
    "spring": (
        ("waited for the", "talked about the", "liked the", "wrote a song about the"),
        _Sense(
            "spring of the year",
            ("planted beans in the", "returned to the village in the", "saw the first flowers of the"),
            ("after the long winter", "when the snow melts", "with its warm evenings", "and the first green leaves"),
        ),
        _Sense(
            "spring of water",
            ("filled the bottle at the", "drank from the cold", "found between the rocks a"),
            ("that never runs dry", "at the foot of the hill", "with its clear water", "where the brook begins"),
        ),
    ),
}
_WHO = (
    "i",
    "she",
    "he",
    "we",
    "they",
    "my uncle",
    "the old man",
    "our neighbour",
    "a young woman",
    "the children",
    "the painter",
    "my sister",
    "two friends",
    "the teacher",
)
_NEUTRAL_AFTER = (
    "yesterday",
    "in the afternoon",
    "last week",
    "again",
    "with a friend",
    "for a while",
    "on monday",
    "before lunch",
)
_SPEAKS_BEFORE, _SPEAKS_AFTER = 0.5, 0.7

BANK = (
    Example(words("i went to the bank to deposit cash"), (MONEY,)),
    Example(words("i went to the bank to sit down"), (RIVER,)),
)


def draw(spec: SequenceSpec) -> Examples:
    """The corpus: tokens, and the sense of the one word of two senses; `BANK` are the first of the test."""
    return draw_splits(lambda rng, _: _sentence(rng), spec, SIZES, {"test": BANK})


def ambiguous_word(tokens: tuple[str, ...]) -> int:
    """The position of the word of two senses in a sentence of this corpus."""
    return next(position for position, token in enumerate(tokens) if token in _WORDS)


def _sentence(rng: np.random.Generator) -> Example:
    word = pick(rng, tuple(_WORDS))
    neutral, *senses = _WORDS[word]
    sense = pick(rng, senses)
    speaks_before, speaks_after = rng.random() < _SPEAKS_BEFORE, rng.random() < _SPEAKS_AFTER
    before = pick(rng, sense.before if speaks_before else neutral)
    after = pick(rng, sense.after if speaks_after or not speaks_before else _NEUTRAL_AFTER)
    return Example(words(f"{pick(rng, _WHO)} {before} {word} {after}"), (sense.name,))
