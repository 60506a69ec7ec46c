"""Canonical JSON (RFC 8785) without floats, and a parser that treats its input as hostile."""

import hashlib
import json
import re
from itertools import accumulate
from typing import Any, Never, TypeAlias

from fairframe.core.errors import BadDocument

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"
"""A JSON value as `parse` returns it: no floats, no tuples."""

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64
MAX_CONTAINERS = 1_000_000
"""Lists and objects in a document. Each takes many times its two bytes in memory; ours have 30 bytes and more."""
MAX_INT = 2**53 - 1

# Possessive, and the closing quote is optional: an unterminated string is consumed once instead of being
# retried from every later quote.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = [1 if byte in b"[{" else -1 for byte in range(256)]
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def canonical(value: object) -> bytes:
    """The RFC 8785 bytes of a value of None, bool, int, str, list, tuple and dict with string keys.

    Raises BadDocument on floats, integers beyond 2**53 - 1, lone surrogates, other types, and nesting deeper
    than 64. Text is not normalized: two spellings of one glyph are two strings.
    """
    ordered = _ordered(value, MAX_DEPTH)
    try:
        return json.dumps(ordered, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError as error:
        raise _not_canonical("text with a lone surrogate") from error


def parse(data: bytes | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Json:
    """Parse JSON of unknown origin; BadDocument when it is anything but plain, unambiguous, bounded JSON.

    Refused: more than `max_bytes`, bad UTF-8, a byte order mark, nesting deeper than `max_depth`, more than
    MAX_CONTAINERS lists and objects, duplicate keys, floats, NaN and infinities, integers beyond 2**53 - 1, lone
    surrogates.
    """
    # a character is at least one byte, so this test comes before any copy is made
    if len(data) > max_bytes:
        raise _bad(f"longer than {max_bytes} bytes", "document.too_large")
    try:
        raw = data.encode("utf-8") if isinstance(data, str) else data
        text = raw.decode("utf-8")
    except UnicodeError as error:
        raise _bad("not UTF-8 text", "document.bad_utf8") from error
    if len(raw) > max_bytes:
        raise _bad(f"longer than {max_bytes} bytes", "document.too_large")
    if text.startswith("\ufeff"):
        raise _bad("begins with a byte order mark", "document.bad_json")
    _check_shape(raw, max_depth)
    try:
        value: Json = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_no_float,
            parse_constant=_no_float,
        )
    except ValueError as error:
        raise _bad(f"not JSON: {error}", "document.bad_json") from error
    if _SURROGATE_ESCAPE.search(text):
        canonical(value)  # refuses a surrogate without its partner
    return value


def sha256_hex(data: bytes) -> str:
    """The SHA-256 of some bytes in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def digest(value: object) -> str:
    """The SHA-256 of a value's canonical bytes in lower-case hex."""
    return sha256_hex(canonical(value))


def _ordered(value: Any, depth: int) -> object:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if not -MAX_INT <= value <= MAX_INT:
            raise _not_canonical("an integer beyond 2**53 - 1")
        return value
    if isinstance(value, dict | list | tuple) and depth == 0:
        raise _not_canonical(f"nesting deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        return {key: _ordered(value[key], depth - 1) for key in sorted(value, key=_utf16)}
    if isinstance(value, list | tuple):
        return [_ordered(item, depth - 1) for item in value]
    raise _not_canonical(f"a value of type {type(value).__name__}")


def _utf16(key: object) -> bytes:
    """RFC 8785 orders keys by UTF-16 code units, which is not code point order beyond U+FFFF."""
    if not isinstance(key, str):
        raise _not_canonical(f"a key of type {type(key).__name__}")
    try:
        return key.encode("utf-16-be")
    except UnicodeEncodeError as error:
        raise _not_canonical("a key with a lone surrogate") from error


def _check_shape(raw: bytes, max_depth: int) -> None:
    """Count brackets outside strings before the recursive parser sees them: they are a finding, not a crash."""
    brackets = _STRING.sub(b"", raw).translate(None, _NO_BRACKETS)
    if brackets.count(b"[") + brackets.count(b"{") > MAX_CONTAINERS:
        raise _bad(f"more than {MAX_CONTAINERS} lists and objects", "document.too_many")
    if max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > max_depth:
        raise _bad(f"nested deeper than {max_depth}", "document.too_deep")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise _bad(f"key {twice[:40]!r} appears twice", "document.duplicate_key")
    return result


def _integer(text: str) -> int:
    # judged by length first: turning a megabyte of digits into an int takes quadratic time
    if len(text) > 17 or abs(number := int(text)) > MAX_INT:
        raise _bad("holds an integer beyond 2**53 - 1", "document.bad_number")
    return number


def _no_float(text: str) -> Never:
    raise _bad(f"holds {text[:20]}, but only integers are allowed", "document.bad_number")


def _bad(what: str, code: str) -> BadDocument:
    return BadDocument(f"The document is refused: {what}", code=code)


def _not_canonical(what: str) -> BadDocument:
    return BadDocument(f"Canonical JSON cannot hold {what}", code="document.not_canonical")
