"""The body of a model release: what a lab signs when weights leave it for good. Read by anyone who takes them."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from fairframe.core.bundle import Head
from fairframe.core.canonical import Json
from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields
from fairframe.core.purpose import COVERED_BY
from fairframe.core.time import to_rfc3339

TYPE = "model_release"
FILE = "model_release.json"
FIGURES = "figures.json"
MAX_FILES = 10_000
MAX_AGREEMENTS = 1_000


@dataclass(frozen=True)
class Under:
    """A checkpoint of the tree, the agreement that permits the release of it, and the grant that extended it, if one
    did."""

    checkpoint: str
    agreement: str
    grant: str | None


@dataclass(frozen=True)
class ModelRelease:
    """What is released. files: every file of the folder but this document, path -> SHA-256. figures: the head of the
    lab's audit tree at which the figures were read, at read_ms. ends_ms: None where no agreement bounds the release."""

    checkpoint: str
    name: str
    weights_hash: str
    lineage: str
    lineage_digest: str
    purpose: str
    license: str
    territory: str
    ends_ms: int | None
    under: tuple[Under, ...]
    files: dict[str, str]
    figures: Head
    read_ms: int

    def to_json(self) -> dict[str, Any]:
        return {
            "checkpoint": self.checkpoint,
            "name": self.name,
            "weights_hash": self.weights_hash,
            "lineage": self.lineage,
            "lineage_digest": self.lineage_digest,
            "purpose": self.purpose,
            "license": self.license,
            "territory": self.territory,
            "ends_at": None if self.ends_ms is None else to_rfc3339(self.ends_ms),
            "under": [vars(one) for one in self.under],
            "files": self.files,
            "figures": {"size": self.figures.size, "root": self.figures.root, "read_at": to_rfc3339(self.read_ms)},
        }

    @classmethod
    def from_json(cls, value: Json) -> "ModelRelease":
        """Read a release strictly. Raises BadDocument (document.field; model.path where a file leads elsewhere)."""
        fields = Fields(value, "model_release.body")
        figures = fields.fields("figures")
        body = cls(
            checkpoint=fields.id("checkpoint", "ckp"),
            name=fields.text("name", max_chars=80),
            weights_hash=fields.hex("weights_hash"),
            lineage=fields.id("lineage", "doc"),
            lineage_digest=fields.hex("lineage_digest"),
            purpose=fields.text("purpose", one_of=COVERED_BY),
            license=fields.text("license", max_chars=80),
            territory=fields.text("territory", max_chars=2_000),
            ends_ms=None if fields.value("ends_at") is None else fields.time_ms("ends_at"),
            under=tuple(_under(one) for one in fields.list("under", max_items=MAX_AGREEMENTS)),
            files=_files(fields),
            figures=Head(figures.integer("size"), figures.hex("root")),
            read_ms=figures.time_ms("read_at"),
        )
        figures.close()
        fields.close()
        return body


def _under(value: Json) -> Under:
    fields = Fields(value, "model_release.body.under")
    grant = None if fields.value("grant") is None else fields.id("grant", "doc")
    under = Under(fields.id("checkpoint", "ckp"), fields.id("agreement", "agr"), grant)
    fields.close()
    return under


def _files(body: Fields) -> dict[str, str]:
    listed = body.object("files")
    if not listed or len(listed) > MAX_FILES or FILE in listed:
        raise BadDocument(f"{len(listed)} files are listed", code="model.files", where=body.where)
    fields = Fields(listed, f"{body.where}.files")
    for name in listed:
        check_path(name, body.where)
    return {name: fields.hex(name) for name in listed}


def check_path(name: str, where: str) -> None:
    """Raise BadDocument (model.path) unless a name is a plain relative path of at most eight parts."""
    parts = name.split("/")
    fine = all(part and part not in (".", "..") and "\\" not in part and part.isprintable() for part in parts)
    if not fine or len(name) > 300 or len(parts) > 8 or PurePosixPath(name).is_absolute():
        raise BadDocument(f"{name[:80]!r} leads out of the folder", code="model.path", where=where)
