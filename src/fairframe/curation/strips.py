"""A contact strip of a shot, for people to look at."""

import base64
from typing import Literal

import sqlalchemy as sa

from fairframe.core.errors import NotFound
from fairframe.curation.tables import shot
from fairframe.library.tables import asset
from fairframe.platform.tx import Row, Tx
from fairframe.platform.workspace import Workspace

Image = Literal["png", "jpeg"]


def shot_row(tx: Tx, shot_id: int) -> Row:
    """A shot with its asset's `content_hash`, `filename`, `width` and `height`. Raises NotFound."""
    columns = [asset.c[name] for name in ("content_hash", "filename", "width", "height")]
    query = sa.select(shot, *columns).join(asset, asset.c.id == shot.c.asset_id).where(shot.c.id == shot_id)
    row = tx.row(query)
    if row is None:
        raise NotFound(f"there is no shot {shot_id}", code="shot.missing")
    return row


def strip(ws: Workspace, row: Row, n: int = 6, *, height: int = 96, image: Image = "jpeg") -> bytes:
    """`n` evenly spaced frames of a shot (a row of `shot_row`), side by side, `height` pixels high.

    Decodes the shot in this process: only for assets that were opened in a sandbox before, as all curated ones were.
    Raises MediaError.
    """
    from fairframe.media import decode, poster

    start, end = row["start_frame"], row["end_frame"]
    count = min(n, end - start)
    wanted = {start + round(i * (end - start - 1) / max(count - 1, 1)) for i in range(count)}
    width = max(2, round(row["width"] * height / row["height"]))
    path = ws.objects.path(row["content_hash"])
    found = decode.frames(path, start=start, end=max(wanted) + 1, size=(width, height))
    pictures = [frame.picture for frame in found if frame.index in wanted]
    return poster.strip(pictures, len(pictures), height=height, image=image)


def data_url(picture: bytes, image: Image = "jpeg") -> str:
    """The picture as a URL that a report carries in itself."""
    return f"data:image/{image};base64,{base64.b64encode(picture).decode('ascii')}"
