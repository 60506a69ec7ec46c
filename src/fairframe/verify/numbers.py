"""Whole numbers in documents: decimal text, in their one spelling."""

from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields


def number(fields: Fields, name: str, *, least: int = 0, signed: bool = False) -> int:
    """A field that holds a whole number as decimal text, of at most 40 digits (pool times weight has up to 38).

    Raises BadDocument where it does not.
    """
    value, where = fields.value(name), f"{fields.where}.{name}"
    if isinstance(value, str) and len(value) <= 41:
        digits = value.removeprefix("-") if signed else value
        if digits.isascii() and digits.isdigit() and str(int(value)) == value:
            if not signed and int(value) < least:
                raise BadDocument(f"Field {name!r} is below {least}", code="document.field", where=fields.where)
            return int(value)
    raise BadDocument("An amount is not a whole decimal number", code="document.field", where=where)
