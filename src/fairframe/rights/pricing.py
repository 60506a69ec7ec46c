"""What a license costs: a flat fee, or a price per clip or per hour, less for smaller licensees."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from fairframe.core.errors import FairframeError, InputError
from fairframe.core.money import MAX_MINOR, Money
from fairframe.core.rational import Share

Per = Literal["agreement", "clip", "hour"]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
SIZE = r"[a-z][a-z0-9-]{0,39}"
MAX_QUANTITY = 1_000_000_000


class Tier(BaseModel):
    """A licensee's size, and the part of the list price that it pays."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size: str = Field(pattern=f"^{SIZE}$", description="The size's name, as --size takes it.")
    means: Line = Field(description="Who is of that size, in words that an agreement repeats.")
    part: str = Field(
        description="The part of the list price, as an exact fraction.",
        json_schema_extra={"pattern": "^[0-9]{1,15}(/[0-9]{1,15})?$"},
    )

    @field_validator("part")
    @classmethod
    def _part(cls, value: str) -> str:
        try:
            return str(Share.parse(value))
        except FairframeError as error:
            raise ValueError(str(error)) from error

    def share(self) -> Share:
        return Share.parse(self.part)


class Price(BaseModel):
    """How the fee of an agreement came about, as both sign it: rate times quantity.

    rate_minor: for one unit of `per`, after the size's part, in minor units of the agreement's currency. quantity: the
    clips or hours that are paid for; 1 for a flat fee. size: "" where the offer knows no sizes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    per: Per
    rate_minor: int = Field(ge=0, le=MAX_MINOR)
    quantity: int = Field(ge=1, le=MAX_QUANTITY)
    size: str = Field(default="", max_length=40)
    means: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _flat(self) -> Self:
        if self.per == "agreement" and self.quantity != 1:
            raise ValueError("a flat fee is paid once")
        return self

    @property
    def fee_minor(self) -> int:
        return self.rate_minor * self.quantity


def price(per: Per, list_price: Money, tiers: tuple[Tier, ...], size: str | None, quantity: int | None) -> Price:
    """The price of a list price for a licensee of a size; a size's part is rounded down to the minor unit.

    Without `size` the full list price holds. Raises InputError (input.bad_size, input.bad_quantity, input.bad_money).
    """
    rate, means = list_price.minor, ""
    if size is not None:
        tier = next((one for one in tiers if one.size == size), None)
        if tier is None:
            known = ", ".join(f"{one.size} ({one.means})" for one in tiers) or "none: it has one price"
            raise InputError(f"no size {size[:40]!r} in this offer", code="input.bad_size", remedy=f"Sizes: {known}")
        rate, means = tier.share().of(rate), tier.means
    if per == "agreement":
        if quantity is not None:
            raise InputError(
                "this offer has a flat fee, not one for a quantity",
                code="input.bad_quantity",
                remedy="Leave --quantity out",
            )
        quantity = 1
    if quantity is None or not 1 <= quantity <= MAX_QUANTITY:
        raise InputError(
            f"this offer is paid by the {per}",
            code="input.bad_quantity",
            remedy=f"Say how many are paid for: --quantity, 1 to {MAX_QUANTITY}",
        )
    if rate * quantity > MAX_MINOR:
        raise InputError("the fee is more than can be kept", code="input.bad_money", remedy="Agree on fewer")
    return Price(per=per, rate_minor=rate, quantity=quantity, size=size or "", means=means)


def bought(terms: dict[str, Any], price: Price) -> dict[str, Any]:
    """Terms with the quantity that is paid for as their cap, over all releases together.

    Raises InputError where the offer's own cap is lower.
    """
    cap = {"clip": "clip_cap", "hour": "hour_cap"}.get(price.per)
    if cap is None:
        return {**terms, "price": price.model_dump()}
    most = terms.get(cap)
    if most is not None and price.quantity > most:
        raise InputError(
            f"the offer grants at most {most} {price.per}s, not {price.quantity}",
            code="input.bad_quantity",
            remedy=f"Agree on at most {most}",
        )
    return {**terms, cap: price.quantity, "caps": "agreement", "price": price.model_dump()}
