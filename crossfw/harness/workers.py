"""Implementations of the catalogue, each in a process of its own or in this one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from crossfw.harness.service import Service
from crossfw.models import Implementation
from crossfw.workers.client import Worker

SERVICE = "crossfw.harness.service:Service"


def start_worker(
    implementation: Implementation,
    python: str | None = None,
    threads: int = 1,
    cpus: tuple[int, ...] = (),
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Worker:
    """A worker that serves an implementation; its arguments are those of `Worker`."""
    arguments = (implementation.name, implementation.file or "")
    return Worker(implementation.name, SERVICE, arguments, python, threads, cpus, variables)


class InProcess:
    """The same calls without a process, for notebooks: both frameworks may then share the interpreter."""

    def __init__(self, implementation: Implementation):
        self._service = Service(implementation.name, implementation.file or "")

    def call(self, method: str, **arguments: Any) -> Any:
        """The result of a method of `Service`; exceptions pass through."""
        return getattr(self._service, method)(**arguments)
