"""Offers: the licenses that a library sells, as TOML, read into frozen models that forbid unknown keys."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from fairframe.core.errors import BadDocument, FairframeError, InputError, NotFound
from fairframe.core.money import Money, parse_money
from fairframe.core.rational import Share
from fairframe.core.territory import Territory
from fairframe.core.time import DAY_MS
from fairframe.platform.workspace import Workspace
from fairframe.rights.vocabulary import Action, Purpose

Remedy = Literal["grandfather", "stop_at_next_epoch", "withdraw"]
SplitBasis = Literal["delivered_ms", "usage"]
UpgradeEffect = Literal["none", "grant_if_all_consent", "grant_if_none_refuses"]
AssetKind = Literal["video", "image", "text"]
Days = Annotated[int, Field(ge=1, le=36_500)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]

MAX_BYTES = 64 * 1024
SHIPPED = Path(__file__).parent / "offers"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


class Terms(BaseModel):
    """What an agreement grants, and on what conditions. Every field is explained in offers/research.toml.

    Lists are kept sorted and without repeats, so that one meaning has one spelling.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    purpose: Purpose
    actions: tuple[Action, ...] = Field(min_length=1)
    kinds: tuple[AssetKind, ...] = Field(min_length=1)
    model_scope: Literal["licensee", "any"]
    weights_release: bool
    commercial_output: bool
    term_days: Days
    territory: str
    min_short_side: int = Field(ge=1, le=65_536)
    hour_cap: int | None = Field(default=None, ge=1, le=10_000_000)
    retention_days: Days
    deletion_days: Days
    opt_out_remedy: Remedy
    lease_days: Days
    feed_age_days: Days
    open_days: Days
    share: str
    split_basis: SplitBasis
    upgrade_effect: UpgradeEffect

    @field_validator("actions", "kinds", mode="before")
    @classmethod
    def _sorted(cls, value: Any) -> Any:
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            if len(set(value)) != len(value):
                raise ValueError("a word is repeated")
            return tuple(sorted(value))
        return value

    @field_validator("territory")
    @classmethod
    def _territory(cls, value: str) -> str:
        return _plain(lambda: str(Territory.parse(value)))

    @field_validator("share")
    @classmethod
    def _share(cls, value: str) -> str:
        return _plain(lambda: str(Share.parse(value)))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.weights_release != ("release_weights" in self.actions):
            raise ValueError("weights_release and the action release_weights go together")
        if self.commercial_output and self.purpose != "commercial":
            raise ValueError("commercial_output needs the purpose commercial")
        if self.retention_days > self.term_days:
            raise ValueError("retention_days is longer than term_days")
        return self

    @property
    def lease_ms(self) -> int:
        return self.lease_days * DAY_MS

    @property
    def feed_age_ms(self) -> int:
        return self.feed_age_days * DAY_MS

    @property
    def retention_ms(self) -> int:
        return self.retention_days * DAY_MS

    @property
    def deletion_ms(self) -> int:
        return self.deletion_days * DAY_MS

    @property
    def cap_ms(self) -> int | None:
        """The hour cap in milliseconds of footage; None without one."""
        return None if self.hour_cap is None else self.hour_cap * 3_600_000

    def contributors_share(self) -> Share:
        return Share.parse(self.share)

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, value: Any) -> "Terms":
        """Terms in a document; BadDocument where a field is missing, unknown or out of range."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise BadDocument(_first(error), code="document.terms", where="terms") from error


class Offer(BaseModel):
    """A license that the desk can offer; `version` rises whenever its terms change."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(pattern=f"^{_NAME.pattern}$")
    version: int = Field(ge=1, le=1_000_000)
    title: Line
    summary: Line
    list_fee: str
    list_currency: str
    terms: Terms

    @model_validator(mode="after")
    def _fee(self) -> Self:
        _plain(lambda: self.list_fee and str(self.fee))
        return self

    @property
    def fee(self) -> Money:
        """The list price."""
        return parse_money(self.list_fee, self.list_currency)


def parse(data: bytes, where: str) -> Offer:
    """An offer from TOML bytes of unknown origin. Raises InputError that names the field."""
    if len(data) > MAX_BYTES:
        raise InputError(f"longer than {MAX_BYTES} bytes", code="input.bad_offer", where=where)
    try:
        return Offer.model_validate(tomllib.loads(data.decode()))
    except ValidationError as error:
        raise InputError(_first(error), code="input.bad_offer", where=where) from error
    except (ValueError, RecursionError) as error:  # also of int(), at a number of thousands of digits
        raise InputError(f"the offer is not TOML: {error}", code="input.bad_offer", where=where) from error


def names(ws: Workspace | None = None) -> list[str]:
    """The shipped offers, and those in DIR/offers of a workspace."""
    return sorted({path.stem for folder in _folders(ws) for path in folder.glob("*.toml")})


def load(name: str, ws: Workspace | None = None) -> Offer:
    """An offer by name; a workspace's own comes before the shipped one. Raises NotFound, InputError."""
    for folder in _folders(ws):
        path = folder / f"{name}.toml"
        if _NAME.fullmatch(name) and path.is_file():
            offer = parse(path.read_bytes(), str(path))
            if offer.name != name:
                raise InputError(
                    f"the offer is named {offer.name!r}",
                    code="input.bad_offer",
                    where=str(path),
                    remedy="Name the file after the offer",
                )
            return offer
    raise NotFound(f"no offer {name[:40]!r}", code="offer.missing", remedy=f"Offers here: {', '.join(names(ws))}")


def _folders(ws: Workspace | None) -> list[Path]:
    return [SHIPPED] if ws is None else [ws.root / "offers", SHIPPED]


def _plain(read: Any) -> Any:
    """Pydantic wants a ValueError where our values raise their own errors."""
    try:
        return read()
    except FairframeError as error:
        raise ValueError(str(error)) from error


def _first(error: ValidationError) -> str:
    """The first finding on one line: field, what is wrong, what was given."""
    found = error.errors()[0]
    field = ".".join(str(part) for part in found["loc"]) or "the whole"
    return f"field {field}: {found['msg']}"
