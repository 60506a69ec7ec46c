"""Codes and numbers as a person reads them. Pure; nothing here is markup."""

from datetime import UTC, datetime

from fairframe.core.money import MICRO, Currency, format_decimal
from fairframe.core.time import DAY_MS
from fairframe.library.wording import visible

MOST_LETTERS = 200

WHY = {
    "outside_purpose": "asked for another use than the license covers",
    "outside_kind": "not a kind of file that the license covers",
    "outside_short_side": "the picture is smaller than the license asks",
    "outside_collection": "not in a collection that the license names",
    "hold": "on hold until a person has looked",
    "opted_out": "the contributor has opted out",
    "consent_denied": "the contributor said no to this use",
    "no_consent": "the contributor has not consented to this use",
    "editorial": "editorial footage",
    "property_not_released": "shows property that is not released",
    "do_not_train": "the file carries a signed “do not train”",
    "ruled_out": "a person ruled it out",
    "editorial_unknown": "nobody said whether it is editorial",
    "people_unknown": "nobody said whether people are to be seen",
    "model_release_missing": "people are to be seen, and no model release is on file",
    "model_release_no_ai": "the model release does not cover training",
    "model_release_territory": "the model release does not hold in all of the license’s countries",
    "model_release_term": "the model release ends before the license",
    "model_release_minor": "a minor is to be seen, and no guardian signed",
    "model_release_revoked": "a model release was taken back",
    "property_release_no_ai": "the property release does not cover training",
    "property_release_territory": "the property release does not hold in all of the license’s countries",
    "property_release_term": "the property release ends before the license",
    "property_release_revoked": "a property release was taken back",
    "property_unknown": "nobody said whether property is released",
    "signal_unclear": "a signed note about training is unclear",
    "signal_untrusted": "a note about training from a signer nobody knows",
    "signal_tampered": "its content credentials do not match the file",
    "signal_unreadable": "a note about training cannot be read",
    "signal_noted": "noted only: this file type cannot carry credentials",
    "near_duplicate": "looks like another shot that was kept",
    "black": "black",
    "frozen": "frozen picture",
    "still": "hardly moves",
    "blurred": "blurred",
    "too_small": "too few pixels",
    "too_few_frames": "too few frames",
    "too_short": "too short",
    "keyword_missing": "lacks a keyword that was asked for",
    "keyword_excluded": "has a keyword that was ruled out",
    "contributor_share": "the contributor’s part of the set was full",
    "over_cap": "beyond the license’s cap of hours",
    "not_curated": "not looked at yet",
}
"""Clearance findings and selection reasons, in plain words."""

STATES = {
    "open": "open",
    "built": "built, not delivered",
    "delivered": "delivered",
    "partly taken back": "partly taken back",
    "agreement.inactive": "closed: the agreement is not in force",
    "delivery.retention": "closed: it was to be kept no longer",
    "lease.missing": "closed: no lease",
    "lease.ended": "closed: the lease has ended",
    "lease.early": "closed: the lease has not begun",
    "feed.missing": "closed: no feed of opt-outs",
    "feed.old": "closed: the feed of opt-outs is too old",
}
GATES = {
    "clearance": ("Rights", "May this file be used under the license?"),
    "selection": ("Selection", "Is this shot worth training on, and not a repeat?"),
    "cutting": ("Cutting", "Cut on exact frames, without sound"),
    "publication": ("Last look", "Did anybody change their mind meanwhile?"),
}
REMEDIES = {
    "grandfather": "finished models stay; nothing of theirs enters a new run",
    "stop_at_next_epoch": "a running training drops the clips at its next epoch; finished models stay",
    "withdraw": "a running training drops the clips at once; models that consumed them are deleted",
}
EVENTS = {
    "granted": "extended to the newer agreement",
    "blocked": "not extended",
    "grandfathered": "stays after an opt-out",
    "stopped": "stopped",
    "withdrawn": "withdrawn",
    "deleted": "deleted",
}


def why(code: str) -> str:
    """A reason code in plain words; one that has none, as readable as it gets."""
    return WHY.get(code) or clean(code.replace("_", " ").replace(".", ": "), 60)


def state(code: str) -> str:
    return STATES.get(code) or clean(code.replace("_", " ").replace(".", ": "), 60)


def clean(text: object, most: int = MOST_LETTERS) -> str:
    """Text from outside for one line: no hidden or direction-changing characters, at most `most` letters."""
    shown = visible(" ".join(str(text)[: 4 * MOST_LETTERS].split()))
    return shown if len(shown) <= most else shown[: most - 1].rstrip() + "…"


def count(number: int) -> str:
    """ "12,345"."""
    return f"{number:,}"


def of(number: int, one: str, many: str = "") -> str:
    """ "1 clip", "2 clips"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def duration(ms: int) -> str:
    """ "2 h 05 min", "3 min 20 s", "4.2 s"."""
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    minutes, rest = divmod(ms // 1000, 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def size(number: int) -> str:
    """ "4.2 MB": decimal units."""
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= step:
            return f"{number / step:.1f} {unit}"
    return f"{number} bytes"


def memory(number: int) -> str:
    return f"{number / 2**20:,.0f} MiB"


def money(micro: int, code: str) -> str:
    """What could be paid of an entitlement: "1,234.56 USD", rounded down to the minor unit."""
    currency = Currency(code)
    sign = "-" if micro < 0 else ""
    whole, point, rest = format_decimal(abs(micro) // MICRO, currency).partition(".")
    return f"{sign}{int(whole):,}{point}{rest} {currency}"


def minor(amount: int, code: str) -> str:
    return money(amount * MICRO, code)


def percent(part: int, whole: int) -> str:
    """ "12.3 %"; a dash where there is no whole."""
    return f"{100 * part / whole:.1f} %".replace(".0 %", " %") if whole else "–"


def day(ms: int) -> str:
    """ "23 November 2026" (UTC)."""
    when = datetime.fromtimestamp(ms / 1000, UTC)
    return f"{when.day} {when:%B} {when.year}"


def moment(ms: int) -> str:
    """ "23 November 2026, 03:28 UTC"."""
    return f"{day(ms)}, {datetime.fromtimestamp(ms / 1000, UTC):%H:%M} UTC"


def age(ms: int) -> str:
    """How long ago: "today", "1 day", "12 days"."""
    days = max(0, ms) // DAY_MS
    return "less than a day" if days == 0 else of(days, "day")


def short(hexes: str, groups: int = 4) -> str:
    """The beginning of a hash, in groups of four."""
    head = hexes[: 4 * groups]
    return " ".join(head[i : i + 4] for i in range(0, len(head), 4)) + " …"
