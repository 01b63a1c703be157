"""English sentences and the same in Spanish: adjectives change places and agree, pronouns are dropped, verbs inflect.

The two sentences differ in length and order, and a Spanish word depends on English ones that stand further off: number
and gender of the noun, person of the subject. One English sentence has one translation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossfw.data.examples import Example, Examples, draw_splits
from crossfw.data.grammars import pick
from crossfw.data.settings import SequenceSpec

SIZES = (2000, 200, 200)

# English singular and plural; Spanish singular, plural and gender.
_PEOPLE = """
    boy boys niño niños m / girl girls niña niñas f / teacher teachers profesor profesores m /
    doctor doctors doctora doctoras f / king kings rey reyes m / queen queens reina reinas f /
    man men hombre hombres m / woman women mujer mujeres f / neighbour neighbours vecino vecinos m /
    sister sisters hermana hermanas f / brother brothers hermano hermanos m / painter painters pintora pintoras f
"""
_THINGS = """
    house houses casa casas f / book books libro libros m / table tables mesa mesas f / chair chairs silla sillas f /
    car cars coche coches m / letter letters carta cartas f / apple apples manzana manzanas f /
    window windows ventana ventanas f / door doors puerta puertas f / tree trees árbol árboles m /
    bridge bridges puente puentes m / key keys llave llaves f / hat hats sombrero sombreros m /
    flower flowers flor flores f / picture pictures cuadro cuadros m / boat boats barco barcos m /
    clock clocks reloj relojes m / shirt shirts camisa camisas f / box boxes caja cajas f /
    knife knives cuchillo cuchillos m
"""
# English; Spanish masculine and feminine, singular and plural.
_ADJECTIVES = """
    red rojo roja rojos rojas / white blanco blanca blancos blancas / black negro negra negros negras /
    small pequeño pequeña pequeños pequeñas / old viejo vieja viejos viejas / new nuevo nueva nuevos nuevas /
    big grande grande grandes grandes / green verde verde verdes verdes / expensive caro cara caros caras /
    pretty bonito bonita bonitos bonitas / heavy pesado pesada pesados pesadas / blue azul azul azules azules
"""
# English base and third person (a hyphen for a blank); Spanish yo, tú, él, nosotros, ellos.
_VERBS = """
    see sees veo ves ve vemos ven / buy buys compro compras compra compramos compran /
    want wants quiero quieres quiere queremos quieren / paint paints pinto pintas pinta pintamos pintan /
    clean cleans limpio limpias limpia limpiamos limpian / look-for looks-for busco buscas busca buscamos buscan /
    sell sells vendo vendes vende vendemos venden / find finds encuentro encuentras encuentra encontramos encuentran /
    have has tengo tienes tiene tenemos tienen / need needs necesito necesitas necesita necesitamos necesitan /
    draw draws dibujo dibujas dibuja dibujamos dibujan / open opens abro abres abre abrimos abren /
    carry carries llevo llevas lleva llevamos llevan / lose loses pierdo pierdes pierde perdemos pierden
"""
# English; Spanish masculine and feminine; those without a form for the other number are left out of it.
_SINGULAR_ARTICLES = "the el la / a un una / this este esta / my mi mi / your tu tu"
_PLURAL_ARTICLES = "the los las / these estos estas / my mis mis / your tus tus"
_TIMES = (
    ("today", "hoy"),
    ("now", "ahora"),
    ("every day", "todos los días"),
    ("on monday", "el lunes"),
    ("in the morning", "por la mañana"),
    ("sometimes", "a veces"),
)
_PLACES = (
    ("in the garden", "en el jardín"),
    ("near the river", "cerca del río"),
    ("at home", "en casa"),
    ("in the street", "en la calle"),
    ("at the market", "en el mercado"),
)
_FIRST, _SECOND, _THIRD, _WE, _THEY = range(5)
# English and Spanish pronoun, and the person of the verb.
_PRONOUNS = (
    ("i", "", _FIRST),
    ("you", "", _SECOND),
    ("he", "él", _THIRD),
    ("she", "ella", _THIRD),
    ("we", "", _WE),
    ("they", "ellos", _THEY),
)


def _rows(table: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(row.split()) for row in table.split("/"))


_NOUNS = {"people": _rows(_PEOPLE), "things": _rows(_THINGS)}
_ADJECTIVE_ROWS, _VERB_ROWS = _rows(_ADJECTIVES), _rows(_VERBS)
_ARTICLE_ROWS = {False: _rows(_SINGULAR_ARTICLES), True: _rows(_PLURAL_ARTICLES)}


@dataclass(frozen=True)
class _Phrase:
    """A part of a sentence in both languages; of a subject, the person of its verb too."""

    english: str
    spanish: str
    person: int = _THIRD


def draw(spec: SequenceSpec) -> Examples:
    """The corpus: English tokens and Spanish ones."""
    return draw_splits(lambda rng, _: _sentence(rng), spec, SIZES)


def _sentence(rng: np.random.Generator) -> Example:
    subject = _pronoun(rng) if rng.random() < 0.5 else _noun_phrase(rng, "people", rng.random() < 0.2)
    thing = _noun_phrase(rng, "things", rng.random() < 0.5)
    kind = rng.random()
    if kind < 0.2:
        english, spanish, mark = *_question(rng, subject, thing), "?"
    else:
        english, spanish, mark = *_statement(rng, subject, thing, negated=kind < 0.45), "."
    return Example((*english.split(), mark), (*spanish.split(), mark))


def _statement(rng: np.random.Generator, subject: _Phrase, thing: _Phrase, negated: bool) -> tuple[str, str]:
    base, third, *forms = pick(rng, _VERB_ROWS)
    english = third if subject.person == _THIRD else base
    if negated:
        english = f"{_do(subject)} not {base}"
    no = "no" if negated else ""
    sides = (
        f"{subject.english} {english.replace('-', ' ')} {thing.english}",
        f"{subject.spanish} {no} {forms[subject.person]} {thing.spanish}",
    )
    return _with_circumstances(rng, *sides)


def _question(rng: np.random.Generator, subject: _Phrase, thing: _Phrase) -> tuple[str, str]:
    base, _, *forms = pick(rng, _VERB_ROWS)
    english = f"{_do(subject)} {subject.english} {base.replace('-', ' ')} {thing.english}"
    return english, f"¿ {forms[subject.person]} {subject.spanish} {thing.spanish}"


def _do(subject: _Phrase) -> str:
    return "does" if subject.person == _THIRD else "do"


def _with_circumstances(rng: np.random.Generator, english: str, spanish: str) -> tuple[str, str]:
    """Now and then a place after the sentence, and a time before or after it."""
    if rng.random() < 0.3:
        place = pick(rng, _PLACES)
        english, spanish = f"{english} {place[0]}", f"{spanish} {place[1]}"
    if rng.random() < 0.4:
        time = pick(rng, _TIMES)
        if rng.random() < 0.5:
            return f"{time[0]} {english}", f"{time[1]} {spanish}"
        return f"{english} {time[0]}", f"{spanish} {time[1]}"
    return english, spanish


def _pronoun(rng: np.random.Generator) -> _Phrase:
    return _Phrase(*pick(rng, _PRONOUNS))


def _noun_phrase(rng: np.random.Generator, group: str, described: bool) -> _Phrase:
    """An article, a noun and perhaps an adjective, which agree."""
    plural = rng.random() < 0.35
    noun, article = pick(rng, _NOUNS[group]), pick(rng, _ARTICLE_ROWS[plural])
    feminine = noun[4] == "f"
    english, spanish = noun[plural], f"{article[1 + feminine]} {noun[2 + plural]}"
    starts_with_vowel = english[0] in "aeiou"
    if described:
        adjective = pick(rng, _ADJECTIVE_ROWS)
        english, spanish = f"{adjective[0]} {english}", f"{spanish} {adjective[1 + feminine + 2 * plural]}"
        starts_with_vowel = adjective[0][0] in "aeiou"
    first = "an" if article[0] == "a" and starts_with_vowel else article[0]
    return _Phrase(f"{first} {english}", spanish, _THEY if plural else _THIRD)
