"""Showing what an act would do: it is done, looked at, and undone with its transaction."""

from collections.abc import Callable
from typing import TypeVar

from fairframe.platform.tx import WriteTx
from fairframe.platform.workspace import Workspace

T = TypeVar("T")


def undone(ws: Workspace, act: Callable[[WriteTx], T]) -> T:
    """What `act` returns. Nothing of it stays; what it raises is raised."""
    found: list[T] = []
    try:
        with ws.write() as tx:
            found.append(act(tx))
            raise _Undone
    except _Undone:
        return found[0]


class _Undone(Exception):
    """Rolls the transaction back."""
