"""Where a license holds: the world, or a set of ISO 3166-1 countries."""

from dataclasses import dataclass

from fairframe.core.errors import InputError

_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV "
    "BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES "
    "ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE "
    "IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY "
    "MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU "
    "NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM "
    "SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE "
    "VG VI VN VU WF WS YE YT ZA ZM ZW "
)
COUNTRIES = frozenset(_CODES.split())
"""The officially assigned two-letter codes."""


@dataclass(frozen=True)
class Territory:
    """A set of countries; None stands for the world, which also holds places without a code of their own."""

    codes: frozenset[str] | None

    def __post_init__(self) -> None:
        unknown = (self.codes or frozenset()) - COUNTRIES
        if unknown:
            raise InputError(
                f"{min(unknown)[:20]!r} is not a country",
                code="input.bad_territory",
                remedy='Give "world" or ISO 3166-1 codes such as US,DE',
            )

    @classmethod
    def parse(cls, text: str) -> "Territory":
        """ "world" or "US,DE"; InputError on unknown, repeated or missing codes."""
        if text.strip().lower() == "world":
            return WORLD
        codes = [part.strip().upper() for part in text.split(",")]
        if len(set(codes)) != len(codes):
            raise InputError(f"{text[:60]!r} names a country twice", code="input.bad_territory")
        return cls(frozenset(codes))

    def contains(self, other: "Territory | str") -> bool:
        """Whether a country code, or all of another territory, lies inside."""
        inner = other.codes if isinstance(other, Territory) else Territory.parse(other).codes
        if self.codes is None:
            return True
        return inner is not None and inner <= self.codes

    def intersect(self, other: "Territory") -> "Territory":
        """What lies in both; it may be empty, and is then false."""
        if self.codes is None or other.codes is None:
            return other if self.codes is None else self
        return Territory(self.codes & other.codes)

    def __bool__(self) -> bool:
        return self.codes is None or bool(self.codes)

    def __str__(self) -> str:
        if self.codes is None:
            return "world"
        return ",".join(sorted(self.codes)) or "nowhere"


WORLD = Territory(None)
