"""Sentences with persons' names marked. Some words (teddy, rose, will) are a name or not by what FOLLOWS them.

What stands before such a word is drawn alike for both readings, so that a tagger which reads from left to right only
cannot do better there than guess. Some first names and surnames occur in the test sentences only.
"""

from __future__ import annotations

import numpy as np

from crossfw.data.examples import Example, Examples, draw_splits
from crossfw.data.grammars import pick, words
from crossfw.data.settings import SequenceSpec

OTHER, NAME = TAGS = ("other", "name")
SIZES = (1600, 200, 300)
_PAIR_TEXTS = ("he said , [teddy] [roosevelt] was a great president", "he said , teddy bears are on sale")
PAIR_POSITION = 3
_AMBIGUOUS_SHARE, _FRESH_SHARE, _SURNAME_SHARE, _TEDDY_SHARE = 0.5, 0.4, 0.6, 0.1

FIRST = words(
    "anna peter maria thomas laura simon julia martin helen david sarah paul emma george clara victor nina oscar "
    "alice henry sofia daniel irene walter lucy conrad edith felix norma hugo ingrid leo martha otto selma theo"
)
SURNAMES = words(
    "roosevelt walker jensen moretti fischer novak adams keller larsson duval quinn harper lindgren castillo meyer "
    "whitfield okafor tanaka romano sinclair petrov vance holloway brandt ferreira dalton mccabe nyberg osborne "
    "pritchard salazar thorne ullman vargas winslow yates"
)
TEST_FIRST = words("bertram calista dorian eloise fergus gwendolyn horatio isolde jasper katarina")
TEST_SURNAMES = words(
    "abernathy blackwood castellan drummond eastwick fairbanks galloway hathaway iverson juneau kowalski lockhart"
)

# A first name that is a word too, and how a sentence goes on after it where it is not a name; "*": see _PLURAL_ENDS.
AMBIGUOUS: dict[str, tuple[str, ...]] = {
    "teddy": ("bears *",),
    "rose": ("bushes *", "petals *", "gardens *", "wine goes well with fish"),
    "mark": ("the date in the calendar", "every page with a pencil", "the place on the map", "my words"),
    "may": ("flowers *", "is the month of the fair", "has thirty one days"),
    "grace": ("is more than good manners", "under pressure is rare", "before a meal is an old custom"),
    "will": ("power is not enough", "you open the window please", "it rain on sunday", "there be music tonight"),
    "bill": ("payments *", "boards *", "the customer at the end of the month", "folds *"),
    "frank": ("answers *", "letters *", "talk helps in the long run"),
    "hope": ("is not a plan", "keeps people going", "fades with the years"),
    "jack": ("knives *", "up the car before you start", "of all trades is what they call him"),
    "rob": ("a bank and you will go to jail", "nobody of a good meal"),
    "pat": ("the dog on its back", "the dough until it is flat", "answers *"),
    "art": ("lessons *", "museums *", "is long and life is short", "shops *"),
    "dawn": ("came early that week", "is the best hour for fishing", "walks *"),
    "june": ("evenings *", "was wet this year", "weddings *"),
    "april": ("showers *", "is too early for tomatoes", "fools *"),
    "penny": ("sweets *", "stamps *", "by penny the sum grows"),
    "sandy": ("beaches *", "shoes *", "soil is good for carrots"),
    "ruby": ("rings *", "earrings *", "red is the colour of the door"),
    "olive": ("trees *", "oil is good for the heart", "stones *"),
    "daisy": ("chains *", "petals *", "fields *"),
    "lily": ("pads *", "ponds *", "of the valley is poisonous"),
    "robin": ("eggs *", "nests *", "redbreast is a small bird"),
    "sue": ("the company for the damage", "nobody before you have read the contract"),
    "chuck": ("the ball over the fence", "steaks *", "the old papers away"),
    "amber": ("lights *", "beads *", "is older than it looks"),
    "iris": ("bulbs *", "fields *", "scans *"),
    "summer": ("camps *", "holidays *", "is the best season for it", "rain *"),
}
_PLURAL_ENDS = (
    "are on sale",
    "are hard to find",
    "are cheap this week",
    "were everywhere last year",
    "were a great success",
    "make a good present",
    "need a lot of care",
    "are what children like",
    "can be seen from the road",
    "never last very long",
)
_LEADS = (
    "he said ,",
    "she said ,",
    "they told us ,",
    "my neighbour wrote ,",
    "the paper says",
    "we heard that",
    "people say that",
    "everybody knows that",
    "i read that",
    "in the end ,",
    "as you know ,",
    "",
)
_PERSON_ENDS = (
    "was a great president",
    "was a great success",
    "was on sale for hours",
    "lost the keys again",
    "plays the violin",
    "wrote a long letter",
    "came home early that week",
    "never reads the paper",
    "is older than you think",
    "has sold the house",
    "keeps bees in the garden",
    "went fishing on sunday",
    "can be seen on the road every morning",
    "opened a shop in the village",
    "wants to see the museum",
    "is not at home",
    "paid for the meal",
    "found a ring on the beach",
)
_PLAIN = (
    "we met {} at the market",
    "{} and {} played chess in the garden",
    "the letter from {} arrived on monday",
    "yesterday {} told {} about the plan",
    "nobody had seen {} since the storm",
    "the new teacher is called {}",
    "{} sold the boat to {} in spring",
    "in the photograph {} stands beside {}",
    "ask {} for the key to the shed",
    "the doctor asked {} to rest for a week",
    "{} , {} and {} took the last train",
    "a song by {} was played at the wedding",
    "the bridge near the mill was closed for repairs",
    "the {} {} bought was too small for the kitchen",
    "on {} the shop opens at nine",
    "the old clock in the hall stopped last night",
    "our train was late because of the snow",
)
_THINGS, _DAYS = ("table", "carpet", "oven", "lamp"), ("monday", "tuesday", "friday", "saturday")


def draw(spec: SequenceSpec) -> Examples:
    """The corpus: tokens, and for each "name" or "other"; the two sentences of `PAIR` are the first of the test."""
    return draw_splits(_sentence, spec, SIZES, {"test": PAIR})


def _sentence(rng: np.random.Generator, split: str) -> Example:
    """Names are written in brackets until the words are cut apart."""
    return _marked(_ambiguous(rng, split) if rng.random() < _AMBIGUOUS_SHARE else _plain(rng, split))


def _ambiguous(rng: np.random.Generator, split: str) -> str:
    lead = pick(rng, _LEADS)
    word = "teddy" if rng.random() < _TEDDY_SHARE else pick(rng, tuple(AMBIGUOUS))
    if rng.random() < 0.5:
        return f"{lead} {word} {pick(rng, AMBIGUOUS[word])}".replace("*", pick(rng, _PLURAL_ENDS))
    known = "roosevelt" if word == "teddy" and rng.random() < 0.5 else pick(rng, SURNAMES)
    surname = f"[{_fresh(rng, split, known, TEST_SURNAMES)}]" if rng.random() < _SURNAME_SHARE else ""
    return f"{lead} [{word}] {surname} {pick(rng, _PERSON_ENDS)}"


def _plain(rng: np.random.Generator, split: str) -> str:
    pattern = pick(rng, _PLAIN)
    if pattern.startswith("the {} {}"):
        return pattern.format(pick(rng, _THINGS), _person(rng, split))
    if pattern.startswith("on {}"):
        return pattern.format(pick(rng, _DAYS))
    return pattern.format(*(_person(rng, split) for _ in range(pattern.count("{}"))))


def _person(rng: np.random.Generator, split: str) -> str:
    first = _fresh(rng, split, pick(rng, FIRST), TEST_FIRST)
    if rng.random() >= _SURNAME_SHARE:
        return f"[{first}]"
    return f"[{first}] [{_fresh(rng, split, pick(rng, SURNAMES), TEST_SURNAMES)}]"


def _fresh(rng: np.random.Generator, split: str, known: str, unseen: tuple[str, ...]) -> str:
    """In the test sentences now and then a name that no other split has."""
    return pick(rng, unseen) if split == "test" and rng.random() < _FRESH_SHARE else known


def _marked(text: str) -> Example:
    tokens = text.split()
    return Example(
        tuple(token.strip("[]") for token in tokens),
        tuple(NAME if token.startswith("[") else OTHER for token in tokens),
    )


PAIR = tuple(map(_marked, _PAIR_TEXTS))
