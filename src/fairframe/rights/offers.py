"""Offers: the licenses that a library sells, as TOML, read into frozen models that forbid unknown keys."""

import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from fairframe.core.errors import BadDocument, FairframeError, InputError, NotFound
from fairframe.core.money import Money, parse_money
from fairframe.core.rational import Share
from fairframe.core.split_basis import PATTERN, SplitBasis
from fairframe.core.territory import Territory
from fairframe.core.time import DAY_MS
from fairframe.platform.workspace import Workspace
from fairframe.rights.pricing import Line, Per, Price, Tier, bought
from fairframe.rights.pricing import price as price_of
from fairframe.rights.vocabulary import Action, Purpose

Remedy = Literal["grandfather", "stop_at_next_epoch", "withdraw"]
UpgradeEffect = Literal["none", "grant_if_all_consent", "grant_if_none_refuses"]
AssetKind = Literal["video", "image", "text"]
Days = Annotated[int, Field(ge=1, le=36_500)]
ModelScope = Literal["licensee", "tenant", "any"]
Affiliates = Literal["none", "controlled"]
Exclusive = Literal["none", "purpose", "any_use"]
Renewal = Literal["none", "on_request"]
Base = Literal["net_receipts", "gross_receipts"]
Recognized = Literal["received", "invoiced"]

MAX_BYTES = 64 * 1024
PER_AGREEMENT = ("collections", "price")
"""Terms that are filled in when an agreement is made, and that no offer states."""
SHIPPED = Path(__file__).parent / "offers"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


class Title(BaseModel):
    """A collection that an agreement names: its col_ id, and its title as both sides read it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str = Field(pattern=r"^col_[0-9a-z]{26}$")
    title: Line


class Terms(BaseModel):
    """What an agreement grants, and on what conditions. Every field is explained in offers/research.toml.

    Lists are kept sorted and without repeats, so that one meaning has one spelling. A field with a default came after
    the first agreements were signed: its default is what those mean, which do not name it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    purpose: Purpose = Field(description="What models may be used for; contributors consent per purpose.")
    actions: tuple[Action, ...] = Field(min_length=1, description="What may be done with a clip; all else is not.")
    kinds: tuple[AssetKind, ...] = Field(min_length=1, description="Kinds of assets that are licensed.")
    affiliates: Affiliates = Field(default="none", description="Whether companies that the licensee controls share it.")
    scope: Literal["library", "collections"] = Field(
        default="library", description="The whole library, or only collections that each agreement names."
    )
    collections: tuple[Title, ...] = Field(
        default=(),
        max_length=1_000,
        description="The named collections; filled in for each agreement, not in an offer.",
    )
    exclusive: Exclusive = Field(default="none", description="What the library grants to nobody else meanwhile.")
    model_scope: ModelScope = Field(description="Which models may come of it.")
    weights_release: bool = Field(description="Whether trained weights may leave the licensee.")
    commercial_output: bool = Field(description="Whether films that the models make may be sold.")
    term_days: Days = Field(description="Days from the start until it ends.")
    renewal: Renewal = Field(default="none", description="What is agreed about another term.")
    territory: str = Field(
        description='"world", or ISO 3166-1 alpha-2 codes such as "US,DE".',
        json_schema_extra={"pattern": "^([Ww][Oo][Rr][Ll][Dd]|[A-Za-z]{2}(,[A-Za-z]{2})*)$"},
    )
    min_short_side: int = Field(ge=1, le=65_536, description="Fewest pixels of an asset's shorter side.")
    max_short_side: int | None = Field(
        default=None, ge=1, le=65_536, description="Most pixels of an asset's shorter side; none without it."
    )
    hour_cap: int | None = Field(default=None, ge=1, le=10_000_000, description="Most hours of footage.")
    clip_cap: int | None = Field(default=None, ge=1, le=1_000_000_000, description="Most clips.")
    caps: Literal["release", "agreement"] = Field(
        default="release", description="Whether the caps bound each dataset release, or all of the agreement together."
    )
    retention_days: Days = Field(description="Days for which a delivery may be kept.")
    deletion_days: Days = Field(description="Days within which what is taken back is deleted and attested.")
    opt_out_remedy: Remedy = Field(description="What an opt-out means for a training that runs or has ended.")
    lease_days: Days = Field(description="Days that the right to open a delivery lasts before it is renewed.")
    feed_age_days: Days = Field(description="Greatest age of the revocation feed with which a delivery is opened.")
    open_days: Days = Field(description="Days after the offer in which it may be signed and accepted.")
    price: Price | None = Field(
        default=None, description="How the fee came about; filled in for each agreement, never in an offer."
    )
    share: str = Field(
        description="The contributors' part of the base, as an exact fraction.",
        json_schema_extra={"pattern": "^[0-9]{1,15}(/[0-9]{1,15})?$"},
    )
    base: Base = Field(default="net_receipts", description="What the contributors' part is taken of, less refunds.")
    recognized: Recognized = Field(default="received", description="Whether money counts when paid or when invoiced.")
    licensee_named: bool = Field(default=True, description="Whether contributors' statements may name the licensee.")
    split_basis: str = Field(
        description="How fees are split between contributors: a method, or a blend of methods.",
        json_schema_extra={"pattern": PATTERN},
    )
    upgrade_effect: UpgradeEffect = Field(description="What an upgrade to this does to existing checkpoints.")

    @field_validator("actions", "kinds", mode="before")
    @classmethod
    def _sorted(cls, value: Any) -> Any:
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            if len(set(value)) != len(value):
                raise ValueError("a word is repeated")
            return tuple(sorted(value))
        return value

    @field_validator("collections", mode="before")
    @classmethod
    def _tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("collections")
    @classmethod
    def _titles(cls, value: tuple[Title, ...]) -> tuple[Title, ...]:
        if len({one.id for one in value}) != len(value):
            raise ValueError("a collection is repeated")
        return tuple(sorted(value, key=lambda one: one.id))

    @field_validator("territory")
    @classmethod
    def _territory(cls, value: str) -> str:
        return _plain(lambda: str(Territory.parse(value)))

    @field_validator("share")
    @classmethod
    def _share(cls, value: str) -> str:
        return _plain(lambda: str(Share.parse(value)))

    @field_validator("split_basis")
    @classmethod
    def _split_basis(cls, value: str) -> str:
        return _plain(lambda: str(SplitBasis.parse(value)))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        wrong = {
            "weights_release and the action release_weights go together": self.weights_release
            != ("release_weights" in self.actions),
            "commercial_output needs the purpose commercial": self.commercial_output and self.purpose != "commercial",
            "retention_days is longer than term_days": self.retention_days > self.term_days,
            "max_short_side is below min_short_side": self.max_short_side is not None
            and self.max_short_side < self.min_short_side,
            "a tenant's model does not leave it: no weights_release": self.model_scope == "tenant"
            and self.weights_release,
            'collections are named, so scope is "collections"': bool(self.collections) and self.scope == "library",
        }
        for words, holds in wrong.items():
            if holds:
                raise ValueError(words)
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
    list_fee: str = Field(description="The list price of one unit of price_per, as a decimal.")
    list_currency: str = Field(description="ISO 4217.")
    price_per: Per = Field(default="agreement", description="What the list price is for.")
    tiers: tuple[Tier, ...] = Field(
        default=(), max_length=20, description="What licensees of other sizes pay. Without a size the list price holds."
    )
    terms: Terms

    @field_validator("tiers", mode="before")
    @classmethod
    def _tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _plain(lambda: self.list_fee and str(self.fee))
        if len({one.size for one in self.tiers}) != len(self.tiers):
            raise ValueError("a size is repeated")
        if self.terms.price is not None or self.terms.collections:
            raise ValueError("price and collections are filled in for each agreement")
        return self

    @property
    def fee(self) -> Money:
        """The list price, for one unit of price_per."""
        return parse_money(self.list_fee, self.list_currency)

    def price(self, size: str | None = None, quantity: int | None = None) -> Price:
        """What a licensee of a size pays (see pricing.price). Raises InputError."""
        return price_of(self.price_per, self.fee, self.tiers, size, quantity)

    def terms_for(self, price: Price | None, titles: Sequence[Title] = ()) -> Terms:
        """The terms of one agreement: the quantity that is paid for as its cap, the collections that it names.

        Raises InputError (input.bad_quantity; input.bad_collections where they are missing or too many).
        """
        if (self.terms.scope == "collections") != bool(titles):
            what, remedy = "this offer covers collections that the agreement names", "Name them: --collection"
            if titles:
                what, remedy = "this offer is not by title", "Leave --collection out"
            raise InputError(what, code="input.bad_collections", where=self.name, remedy=remedy)
        terms = self.terms.to_json() | {"collections": [one.model_dump() for one in titles]}
        try:
            return Terms.model_validate(terms if price is None else bought(terms, price))
        except ValidationError as error:
            raise InputError(_first(error), code="input.bad_collections", where=self.name) from error


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


def read_changes(given: Sequence[str]) -> dict[str, Any]:
    """TERM=VALUE texts, each value as TOML: `hour_cap=200`, `kinds=["video"]`. Raises InputError (input.bad_terms)."""
    found: dict[str, Any] = {}
    for text in given:
        name, _, value = text.partition("=")
        name = name.strip()
        try:
            read = tomllib.loads(f"value = {value}") if len(text) <= MAX_BYTES else {}
        except (ValueError, RecursionError):
            read = {}
        if set(read) != {"value"} or name not in Terms.model_fields or name in found:
            raise InputError(
                f"{text[:60]!r} names no term and its value, or names it twice",
                code="input.bad_terms",
                remedy='Write it like hour_cap=200 or territory="US,DE"; the terms: fairframe rights schema',
            )
        found[name] = read["value"]
    return found


def schema() -> dict[str, Any]:
    """The JSON Schema of an offer, from the model. What a schema cannot say (a real country, a share of at most one,
    terms that contradict each other) the model still refuses."""
    made = Offer.model_json_schema()
    for name in PER_AGREEMENT:
        del made["$defs"]["Terms"]["properties"][name]
    for name in ("Price", "Title"):
        del made["$defs"][name]
    said = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Fairframe offer",
        "description": "A license that a library's desk can offer: an offer's TOML file, read as JSON.",
    }
    return said | {key: value for key, value in made.items() if key not in said}


def schema_text() -> str:
    """The schema as it ships in offers/offer.schema.json."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


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
