"""Windows of clips as latents, and the feed that decides which of them a step consumes."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fairframe.training.vae import encode

if TYPE_CHECKING:
    import torch
    from diffusers.models.autoencoders.autoencoder_kl_ltx import AutoencoderKLLTXVideo

    from fairframe.dataset.clip import Clip

Admit = Callable[[int], Collection[str]]
"""epoch -> the item ids that may be used in it; asked at the start of each epoch and when a run resumes"""


@dataclass(frozen=True)
class Window:
    """`frames` consecutive frames of a clip, from `start`."""

    clip: int
    start: int
    frames: int
    item: str
    source: str
    caption: str


def windows_of(clips: "Sequence[Clip]", frames: int, stride: int) -> list[Window]:
    """Every window at a stride, plus the one that ends with the clip. Clips shorter than a window give none."""
    found: list[Window] = []
    for index, clip in enumerate(clips):
        last = len(clip.frames) - frames
        if last < 0:
            continue
        starts = sorted({*range(0, last + 1, stride), last})
        found += [Window(index, s, frames, clip.item, clip.source, clip.caption) for s in starts]
    return found


def encode_windows(vae: "AutoencoderKLLTXVideo", clips: "Sequence[Clip]", windows: Sequence[Window]) -> "torch.Tensor":
    """Normalized latents of windows, (N, C, f, h, w)."""
    import torch

    parts = [
        encode(vae, np.stack([clips[w.clip].frames[w.start : w.start + w.frames] for w in windows[i : i + 8]]))
        for i in range(0, len(windows), 8)
    ]
    return torch.cat(parts)


class WindowFeed:
    """Deals windows in a seeded order, epoch after epoch; an epoch asks `admit` anew who may be used.

    A batch may span two epochs. State is plain values, so a resumed run deals what the killed one would have,
    less the items that `admit` no longer gives.
    """

    def __init__(self, windows: Sequence[Window], seed: int, admit: Admit | None = None) -> None:
        self.windows = windows
        self.seed = seed
        self.admit = admit
        self.epoch = -1
        self.left: list[int] = []
        self.exhausted = not windows

    def _allowed(self, order: list[int]) -> list[int]:
        if self.admit is None:
            return order
        items = frozenset(self.admit(self.epoch))
        return [i for i in order if self.windows[i].item in items]

    def take(self, count: int) -> list[int]:
        """Indices of the next `count` windows, or fewer (and exhausted) where no item is admitted any more."""
        taken: list[int] = []
        while len(taken) < count and not self.exhausted:
            if not self.left:
                self.epoch += 1
                order = np.random.default_rng((self.seed, 9, self.epoch)).permutation(len(self.windows))
                self.left = self._allowed(order.tolist())
                self.exhausted = not self.left
            need = count - len(taken)
            taken += self.left[:need]
            self.left = self.left[need:]
        return taken

    def state(self) -> dict[str, Any]:
        """Windows by item and start: a resumed run may have fewer of them, where clips were taken back meanwhile."""
        return {"epoch": self.epoch, "left": [[self.windows[i].item, self.windows[i].start] for i in self.left]}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state; what is left of its epoch is asked of `admit` again."""
        self.epoch = int(state["epoch"])
        place = {(window.item, window.start): i for i, window in enumerate(self.windows)}
        left = [place.get((str(item), int(start))) for item, start in state["left"]]
        self.left = self._allowed([i for i in left if i is not None])
