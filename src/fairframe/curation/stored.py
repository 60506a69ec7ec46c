"""Measures as they are kept: one Parquet object per asset, one row per frame, zstd."""

import io

import numpy as np

from fairframe.core.errors import IntegrityFailure
from fairframe.media.hashing import BYTES, Hashes
from fairframe.media.measure import FRAME_TYPE, Measures

VERSION_KEY = b"fairframe.measures"
NAMES = FRAME_TYPE.names or ()


def to_parquet(measures: Measures) -> bytes:
    """The columns of FRAME_TYPE, and `hash` (32 bytes) and `informative` where a frame was hashed, else null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    count = len(measures.frames)
    bits: list[bytes | None] = [None] * count
    informative: list[bool | None] = [None] * count
    for frame, hashed, good in zip(
        measures.hashes.frames.tolist(), measures.hashes.bits, measures.hashes.informative.tolist(), strict=True
    ):
        bits[frame], informative[frame] = bytes(hashed), good
    columns = {name: pa.array(np.ascontiguousarray(measures.frames[name])) for name in NAMES}
    columns["hash"] = pa.array(bits, pa.binary(BYTES))
    columns["informative"] = pa.array(informative, pa.bool_())
    table = pa.table(columns).replace_schema_metadata({VERSION_KEY: measures.version.encode()})
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()


def from_parquet(data: bytes) -> Measures:
    """The same measures, bit for bit. Raises IntegrityFailure (measures.unreadable) on anything else."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(data))
        version = (table.schema.metadata or {})[VERSION_KEY].decode()
        frames = np.zeros(table.num_rows, FRAME_TYPE)
        for name in NAMES:
            frames[name] = table[name].to_numpy()
        hashed = [i for i, value in enumerate(table["informative"].to_pylist()) if value is not None]
        bits = np.frombuffer(b"".join(table["hash"].take(hashed).to_pylist()), np.uint8).reshape(-1, BYTES)
        informative = np.array(table["informative"].take(hashed).to_pylist(), np.bool_)
    except (pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise IntegrityFailure("an object is not a file of measures", code="measures.unreadable") from error
    return Measures(version, frames, Hashes(np.array(hashed, np.int32), bits, informative))
