"""A clip as training sees it: decoded, square, at the model's frame rate."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairframe.core.item_line import Split

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Clip:
    """One delivered (or house-rendered) clip in memory.

    item: item id of the delivery, or "house:<seed>:<n>" for rendered footage.
    source: delivery id, or "house".
    frames: uint8 RGB (T, S, S, 3) at the model's frame rate.
    group: near-duplicate group; the train / held-out split never cuts through one.
    """

    item: str
    source: str
    frames: "NDArray[np.uint8]"
    caption: str
    group: str
    split: Split
