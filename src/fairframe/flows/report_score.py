"""An evaluation in words: what beat what, and where it lost. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["better", "worse", "even", "unclear"]


@dataclass(frozen=True)
class Compared:
    """One line of the table: a value beside another's, and which of the two is better by how much."""

    what: str
    value: str
    against: str
    other: str
    verdict: Verdict
    words: str


@dataclass(frozen=True)
class Scored:
    """lost: sentences about what did not win; gains: dB per held-out window against repeating the last frame."""

    clips: int
    rows: tuple[Compared, ...]
    lost: tuple[str, ...]
    gains: tuple[float, ...]
    caption: tuple[float, float, float] | None


def scored(result: Mapping[str, Any] | None) -> Scored | None:
    """Read the result of `evaluate` (training/scoring.py); None where there is none or it is something else."""
    if result is None:
        return None
    try:
        model, base = result["model"], result.get("base")
        vae, film, text = model["vae"], model["extension"], model["captions"]
        rows = [_vae(vae), _ssim(vae), _constant(vae), _repeat(film)]
        if base is not None:
            rows.append(_base(film, base["extension"]))
        rows.append(_captions(text))
        gains = tuple(float(gain) for gain in film["gains"])
        caption = (float(text["low"]), float(text["gain"]), float(text["high"]))
        return Scored(int(result["heldout_clips"]), tuple(rows), tuple(_lost(rows, gains)), gains, caption)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _vae(vae: Mapping[str, Any]) -> Compared:
    won = f"closer in {vae['wins']} of {vae['clips']} clips"
    return _decibels(
        "Keeping a picture through compression", vae["psnr"], "shrinking it 8 times", vae["psnr_bicubic"], won
    )


def _ssim(vae: Mapping[str, Any]) -> Compared:
    mine, other = float(vae["ssim"]), float(vae["ssim_bicubic"])
    verdict = _verdict(mine - other, 0.002)
    return Compared(
        "The same, as likeness of structure", f"{mine:.3f}", "shrinking it 8 times", f"{other:.3f}", verdict, ""
    )


def _constant(vae: Mapping[str, Any]) -> Compared:
    return _decibels("Keeping a picture through compression", vae["psnr"], "one mean color", vae["psnr_constant"], "")


def _repeat(film: Mapping[str, Any]) -> Compared:
    won = f"closer in {film['wins']} of {film['windows']} windows"
    return _decibels(
        "Going on from a held-out clip", film["psnr"], "repeating the last frame", film["psnr_repeat"], won
    )


def _base(film: Mapping[str, Any], base: Mapping[str, Any]) -> Compared:
    return _decibels(
        "Going on from a held-out clip", film["psnr"], "the house base, before these clips", base["psnr"], ""
    )


def _captions(text: Mapping[str, Any]) -> Compared:
    low, high = float(text["low"]), float(text["high"])
    verdict: Verdict = "better" if low > 0 else "worse" if high < 0 else "unclear"
    words = f"difference {float(text['gain']):+.4f}, 95 % between {low:+.4f} and {high:+.4f}"
    right, shuffled = f"{float(text['right']):.4f}", f"{float(text['shuffled']):.4f}"
    return Compared("Loss with the right caption", right, "another clip’s caption", shuffled, verdict, words)


def _decibels(what: str, mine: float, against: str, other: float, won: str) -> Compared:
    gain = float(mine) - float(other)
    verdict = _verdict(gain, 0.05)
    words = f"{gain:+.1f} dB" + (f", {won}" if won else "")
    return Compared(what, f"{float(mine):.1f} dB", against, f"{float(other):.1f} dB", verdict, words)


def _verdict(gain: float, small: float) -> Verdict:
    return "even" if abs(gain) < small else "better" if gain > 0 else "worse"


def _lost(rows: list[Compared], gains: tuple[float, ...]) -> list[str]:
    found: list[str] = []
    for row in rows:
        if row.verdict == "worse":
            found.append(f"{row.what}: {row.value}, where {row.against} has {row.other}.")
        elif row.verdict in ("even", "unclear"):
            found.append(f"{row.what}: no clear difference from {row.against}.")
    lost = sum(gain <= 0 for gain in gains)
    if lost:
        found.append(
            f"In {lost} of {len(gains)} held-out windows repeating the last frame was at least as close. "
            "A picture that hardly moves is hard to beat that way."
        )
    return found
