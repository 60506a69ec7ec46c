"""What a split method decides on, and what a method is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Delivered:
    """A delivered item: a span [start, end) of an asset in its unit, that lasts duration_ms."""

    item: str
    asset: int
    start: int
    end: int
    duration_ms: int


@dataclass(frozen=True)
class Used:
    """Frames of an item that one reported checkpoint (run) consumed."""

    item: str
    frames: int
    run: int = 0


@dataclass(frozen=True)
class Run:
    """One training in a model's lineage. part: of the model, in 10^-12. frames: all that it consumed."""

    run: int
    part: int
    frames: int


@dataclass(frozen=True)
class Facts:
    """Everything that methods look at. scores: asset -> its score. runs: only for revenue of a model."""

    delivered: Sequence[Delivered]
    used: Sequence[Used] = ()
    scores: Mapping[int, int] = field(default_factory=dict[int, int])
    runs: Sequence[Run] = ()


Reference = Callable[[Facts], Mapping[int, int]]


@dataclass(frozen=True)
class Method:
    """unit: of the weights, in words. empty: why nobody has a weight, where that is so.

    blend_of, nums: of a blend its methods, and the numerators of their shares over one denominator.
    """

    name: str
    unit: str
    empty: str
    sql: str
    reference: Reference
    blend_of: tuple["Method", ...] = ()
    nums: tuple[int, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the method, or of those that it blends."""
        return tuple(one.name for one in self.blend_of) or (self.name,)
