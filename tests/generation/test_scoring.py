"""A checkpoint is scored on the held-out clips of its delivery, and only while that may be opened."""

from typing import Any

import pytest

from fairframe.core.errors import IntegrityFailure, Refused
from fairframe.core.time import DAY_MS
from fairframe.platform.tables import run
from fairframe.training.scoring import score

pytestmark = pytest.mark.torch


def test_a_checkpoint_is_scored_beside_plain_baselines(studio: Any) -> None:
    found = score(studio.lab, "harbor")
    assert (found.checkpoint, found.name, found.base) == (studio.checkpoint, "harbor", None)
    assert found.clips == found.model.vae.clips > 0
    with studio.lab.read() as tx:
        row = tx.row(run.select().where(run.c.kind == "evaluate"))
    assert row is not None and (row["state"], row["result"]) == ("done", found.to_json())
    rows = {(measure, against): (this, other, verdict) for measure, this, against, other, verdict in found.rows()}
    assert {against for measure, against in rows if measure == "autoencoder, SSIM"} == {"8x bicubic", "constant color"}
    vae = found.model.vae
    this, other, verdict = rows["autoencoder, PSNR", "8x bicubic"]
    # a single step of training is no match for bicubic
    assert vae.psnr < vae.psnr_bicubic
    assert (this, other) == (f"{vae.psnr:.1f} dB", f"{vae.psnr_bicubic:.1f} dB")
    assert verdict == f"8x bicubic wins, closer in {vae.wins} of {vae.clips} clips"


def test_a_closed_delivery_is_not_looked_at(studio: Any, clock: Any) -> None:
    clock.advance(8 * DAY_MS)
    with pytest.raises(Refused) as refused:
        score(studio.lab, "harbor")
    assert refused.value.code == "delivery.closed"


def test_a_changed_checkpoint_is_not_scored(studio: Any) -> None:
    path = studio.lab.root / "models" / "harbor" / "vae" / "config.json"
    path.write_text(path.read_text("utf-8") + " ", "utf-8")
    with pytest.raises(IntegrityFailure) as caught:
        score(studio.lab, "harbor")
    assert caught.value.code == "model.changed"
