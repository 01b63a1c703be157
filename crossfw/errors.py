"""The one kind of error that a person is meant to read: what was asked, what was found, what to do."""

from __future__ import annotations


class CrossfwError(Exception):
    """Wrong use or a wrong environment; the command line prints it without a traceback and exits with 2.

    Args:
        asked: what was wanted, in the user's own words (`task 'lm_rn'`).
        found: what stood in the way (`no task of that name`).
        remedy: what to do next, as one sentence or one command.
    """

    def __init__(self, asked: str, found: str, remedy: str):
        super().__init__(asked, found, remedy)
        self.asked, self.found, self.remedy = asked, found, remedy

    def __str__(self) -> str:
        return f"asked: {self.asked}\nfound: {self.found}\nto do: {self.remedy}"


class CorpusUnavailable(CrossfwError):
    """A corpus is not on this machine and cannot be fetched now: a reason to skip a task, not a fault in it."""


class NoGradient(CrossfwError):
    """A framework cannot run backwards through a model: its gradients are not compared then."""
