"""Reads the fields of a parsed JSON object strictly: each by name and type, none left over."""

from collections.abc import Collection

from fairframe.core.canonical import Json
from fairframe.core.errors import BadDocument, InputError
from fairframe.core.ids import check_id
from fairframe.core.time import from_rfc3339, to_rfc3339


class Fields:
    """One JSON object being read. `where` names it in errors ("delivery.body").

    Every reader raises BadDocument (code document.field) when the field is absent or of another type;
    `close()` refuses fields that nobody has read.
    """

    def __init__(self, value: Json, where: str) -> None:
        if not isinstance(value, dict):
            raise BadDocument("Expected an object", code="document.field", where=where)
        self._values = value
        self._unread = set(value)
        self.where = where

    def has(self, name: str) -> bool:
        """Whether a field that may be left out is there."""
        return name in self._values

    def value(self, name: str) -> Json:
        if name not in self._values:
            raise self._bad(name, "is missing")
        self._unread.discard(name)
        return self._values[name]

    def text(self, name: str, *, max_chars: int = 4_096, one_of: Collection[str] | None = None) -> str:
        value = self.value(name)
        if not isinstance(value, str) or len(value) > max_chars:
            raise self._bad(name, f"is not a text of at most {max_chars} characters")
        if one_of is not None and value not in one_of:
            raise self._bad(name, f"is not one of {', '.join(sorted(one_of))}")
        return value

    def integer(self, name: str, *, least: int = 0) -> int:
        value = self.value(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self._bad(name, f"is not an integer of at least {least}")
        return value

    def boolean(self, name: str) -> bool:
        value = self.value(name)
        if not isinstance(value, bool):
            raise self._bad(name, "is not true or false")
        return value

    def hex(self, name: str, *, digits: int = 64) -> str:
        value = self.value(name)
        if not isinstance(value, str) or len(value) != digits or not set(value) <= set("0123456789abcdef"):
            raise self._bad(name, f"is not {digits} lower-case hex digits")
        return value

    def id(self, name: str, prefix: str | None = None) -> str:
        try:
            return check_id(self.value(name), prefix)
        except InputError as error:
            raise self._bad(name, error.message) from error

    def ms(self, name: str) -> int:
        """Milliseconds since 1970 as a number, which may be negative; within the years 1 to 9999."""
        value = self.integer(name, least=-(1 << 53))
        try:
            to_rfc3339(value)
        except InputError as error:
            raise self._bad(name, error.message) from error
        return value

    def time_ms(self, name: str) -> int:
        """Milliseconds of an RFC 3339 time in the one form that we write."""
        value = self.text(name, max_chars=40)
        try:
            ms = from_rfc3339(value)
        except InputError as error:
            raise self._bad(name, error.message) from error
        if to_rfc3339(ms) != value:
            raise self._bad(name, "is not written like 2026-11-23T02:25:05.123Z")
        return ms

    def object(self, name: str) -> dict[str, Json]:
        value = self.value(name)
        if not isinstance(value, dict):
            raise self._bad(name, "is not an object")
        return value

    def fields(self, name: str) -> "Fields":
        return Fields(self.value(name), f"{self.where}.{name}")

    def list(self, name: str, *, max_items: int = 1_000_000) -> "list[Json]":
        value = self.value(name)
        if not isinstance(value, list) or len(value) > max_items:
            raise self._bad(name, f"is not a list of at most {max_items}")
        return value

    def close(self) -> None:
        """Refuse every field that was not read."""
        if self._unread:
            raise self._bad(min(self._unread)[:40], "is not a known field")

    def _bad(self, name: str, what: str) -> BadDocument:
        return BadDocument(f"Field {name!r} {what}", code="document.field", where=self.where)
