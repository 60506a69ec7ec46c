"""Contributors' terms: the basis on which a library holds their work, and who was told of them when.

Terms are TOML: name, version, regime, notice_date, notice_days, effective_date, names, text. Versions are append-only.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, Self

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from fairframe.core.canonical import sha256_hex
from fairframe.core.errors import Conflict, InputError, NotFound
from fairframe.core.ids import new_id
from fairframe.platform import audit
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights.tables import contributor_terms, terms_acceptance
from fairframe.rights.vocabulary import Purpose

MAX_BYTES = 256 * 1024


class TermsFile(BaseModel):
    """What a TOML file of contributors' terms holds. Dates are days in UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    version: int = Field(ge=1, le=1_000_000)
    regime: Literal["opt-in", "opt-out"]
    notice_date: date
    notice_days: int = Field(default=30, ge=1, le=3_650)
    effective_date: date
    names: tuple[Purpose, ...]
    text: str = Field(min_length=1, max_length=100_000)

    @field_validator("names", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.names)) != len(self.names):
            raise ValueError("names repeats a purpose")
        if (self.effective_date - self.notice_date).days < (self.notice_days if self.regime == "opt-out" else 0):
            raise ValueError("effective_date is not notice_days or more after notice_date")
        if self.regime == "opt-out" and not self.names:
            raise ValueError("opt-out terms name no purpose")
        return self


@dataclass(frozen=True)
class Values:
    """A version as the table holds it: days are their first millisecond in UTC."""

    name: str
    version: int
    regime: str
    notice_ms: int
    notice_days: int
    effective_ms: int
    names: tuple[str, ...]
    text: str


def values_of(file: TermsFile) -> Values:
    """What a file says, as the table holds it."""
    notice_ms, effective_ms = _midnight_ms(file.notice_date), _midnight_ms(file.effective_date)
    names = tuple(sorted(file.names))
    return Values(file.name, file.version, file.regime, notice_ms, file.notice_days, effective_ms, names, file.text)


def parse(data: bytes, where: str = "terms") -> TermsFile:
    """Contributors' terms from TOML bytes of unknown origin. Raises InputError that names the field."""
    if len(data) > MAX_BYTES:
        raise InputError(f"longer than {MAX_BYTES} bytes", code="input.bad_terms", where=where)
    try:
        return TermsFile.model_validate(tomllib.loads(data.decode()))
    except ValidationError as error:
        found = error.errors()[0]
        field = ".".join(str(part) for part in found["loc"]) or "the whole"
        raise InputError(f"field {field}: {found['msg']}", code="input.bad_terms", where=where) from error
    except (ValueError, RecursionError) as error:  # also of int(), at a number of thousands of digits
        raise InputError(f"the terms are not TOML: {error}", code="input.bad_terms", where=where) from error


def add(tx: WriteTx, data: bytes, where: str = "terms") -> Row:
    """Add a version of contributors' terms. The same file again returns the row that is there.

    Raises InputError on a bad file, Conflict where this version says something else or is no newer than the last.
    """
    file = parse(data, where)
    values = {**vars(values_of(file)), "names": sorted(file.names)}
    audit.lock(tx.conn)  # the same file twice at once is one version
    known = tx.rows(contributor_terms.select().where(contributor_terms.c.name == file.name))
    same = next((row for row in known if row["version"] == file.version), None)
    if same is not None and all(same[name] == value for name, value in values.items()):
        return same
    last = max((row["version"] for row in known), default=0)
    if file.version <= last:
        raise Conflict(
            f"the terms {file.name} already have a version {last}",
            code="terms.version",
            where=where,
            remedy=f"Terms are never changed: write version {last + 1}",
        )
    public_id = new_id("trm")
    tx.insert(contributor_terms, public_id=public_id, **values)
    body = {**{k: v for k, v in values.items() if k != "text"}, "file_sha256": sha256_hex(data)}
    tx.record("terms.added", public_id, body)
    return find(tx, public_id)


def accept(tx: WriteTx, contributor: Row, terms: Row, noticed_ms: int, valid_from_ms: int) -> None:
    """Record that a contributor was told of terms, and from when they are to hold for them.

    Under opt-in it binds nobody to anything. Under opt-out, silence consents from the later of the terms' effective
    date and `valid_from_ms`, and only if the notice came the terms' notice period before that (see consent.py).
    Raises InputError where the notice lies before the terms' own, or in the future.
    """
    if not terms["notice_ms"] <= noticed_ms <= tx.now_ms:
        raise InputError(
            "the notice lies before the terms' notice date or in the future",
            code="input.bad_notice",
            where=f"{terms['name']} version {terms['version']}",
        )
    tx.insert(
        terms_acceptance,
        contributor_id=contributor["id"],
        contributor_terms_id=terms["id"],
        noticed_ms=noticed_ms,
        valid_from_ms=valid_from_ms,
    )
    body = {"terms": terms["public_id"], "noticed_ms": noticed_ms, "valid_from_ms": valid_from_ms}
    tx.record("terms.accepted", contributor["public_id"], body)


def find(tx: Tx, name_or_id: str, version: int | None = None) -> Row:
    """Terms by trm_ id, or by name (the newest version where none is given). Raises NotFound."""
    where = (contributor_terms.c.public_id == name_or_id) | (contributor_terms.c.name == name_or_id)
    if version is not None:
        where &= contributor_terms.c.version == version
    row = tx.row(contributor_terms.select().where(where).order_by(contributor_terms.c.version.desc()))
    if row is None:
        raise NotFound(f"no contributors' terms {name_or_id[:60]!r}", code="terms.missing")
    return row


def listing(tx: Tx) -> Sequence[Row]:
    """All versions by name and version."""
    return tx.rows(contributor_terms.select().order_by(contributor_terms.c.name, contributor_terms.c.version))


def told(tx: Tx, contributor_id: int) -> Sequence[Row]:
    """What a contributor was told of: acceptance and terms side by side, oldest first."""
    joined = terms_acceptance.join(contributor_terms)
    columns = (
        contributor_terms.c.public_id,
        contributor_terms.c.name,
        contributor_terms.c.version,
        contributor_terms.c.regime,
        contributor_terms.c.names,
        terms_acceptance.c.noticed_ms,
        terms_acceptance.c.valid_from_ms,
    )
    where = terms_acceptance.c.contributor_id == contributor_id
    return tx.rows(sa.select(*columns).select_from(joined).where(where).order_by(terms_acceptance.c.id))


def _midnight_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
