"""The kinds of ports that go wrong in real life: tables of small ones, with what is right to say of each."""

from __future__ import annotations

import mxnet as mx
import pytest

import crossfw
from crossfw.verification.diagnosis import SECONDS
from tests.verification.kinds import Kind, hidden, hybrid, losses, operators, outputs, symbols

UNNAMED = 2.0  # seconds of search where no name is asked for
TABLES = (operators, symbols, hybrid, outputs, losses, hidden)


def rows() -> list:
    """Every row of every table."""
    return [
        pytest.param(kind, id=f"{table.__name__.rpartition('.')[2]}: {kind.name}")
        for table in TABLES
        for kind in table.KINDS
    ]


@pytest.fixture
def interface():
    """Switches MXNet's NumPy interface on where it is asked to, and off in the end."""
    yield mx.npx.set_np
    mx.npx.reset_np()


@pytest.mark.filterwarnings("ignore:Cannot decide type:UserWarning")  # of MXNet, where no input has a type
@pytest.mark.filterwarnings("ignore:NTC layout detected:UserWarning")
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", rows())
def test_a_kind(kind: Kind, interface):
    if kind.numpy:
        interface()
    seconds = SECONDS if kind.causes else UNNAMED
    found = crossfw.verify(kind.mxnet, kind.torch, kind.inputs, seconds=seconds, **kind.more)
    assert found.word == kind.word, str(found)
    if kind.stage:
        assert found.stage == kind.stage, str(found)
    if kind.causes:
        assert {cause.name for cause in found.causes} & set(kind.causes), str(found)
    assert any(kind.says in note for note in found.notes) or not kind.says, found.notes


def test_names_are_told_apart():
    for table in TABLES:
        names = [kind.name for kind in table.KINDS] + [kind.name for _, kind in table.PENDING]
        assert len(names) == len(set(names)), table.__name__
