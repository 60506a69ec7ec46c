from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.errors import InputError
from fairframe.core.money import (
    MAX_MINOR,
    MICRO,
    Currency,
    Money,
    format_decimal,
    format_micro,
    format_money,
    parse_money,
    whole_minor,
)
from fairframe.core.rational import Share
from fairframe.core.territory import COUNTRIES, WORLD, Territory
from fairframe.core.timecode import FrameSpan, Rate, Timecode

USD = Currency("USD")
currencies = st.sampled_from(["USD", "JPY", "KWD", "CLF"]).map(Currency)
shares = st.fractions(0, 1, max_denominator=10**6).map(lambda value: Share(value.numerator, value.denominator))
rates = st.sampled_from([Rate(24), Rate(25), Rate(30000, 1001), Rate(60000, 1001), Rate(120)])
territories = st.just(WORLD) | st.frozensets(st.sampled_from(sorted(COUNTRIES)[:6])).map(Territory)


@given(st.integers(0, MAX_MINOR), currencies)
def test_money_reads_what_it_writes(minor: int, currency: Currency) -> None:
    assert parse_money(format_decimal(minor, currency), currency.code) == Money(minor, currency)


def test_money_is_read_exactly() -> None:
    assert parse_money("10000.00", "USD") == Money(1_000_000, USD)
    assert parse_money("0.1", "USD").minor == 10
    assert parse_money("5", "JPY").minor == 5
    assert parse_money("1.234", "KWD").minor == 1234
    assert format_money(Money(-5, USD)) == "-0.05 USD"
    assert format_micro(12_345_678, USD) == "0.12345678"
    assert format_micro(1_500_000, Currency("JPY")) == "1.500000"


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", "1,000.00", "1_000", "1e3", "NaN", "1.005", ".5", "5.", "1 ", "١", "0x10", "9" * 17, "1.0.0"],
)
def test_money_refuses(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_money(text, "USD")
    assert caught.value.code == "input.bad_money"


@pytest.mark.parametrize("code", ["usd", "XXX", "XAU", "HRK", "", "EURO"])
def test_no_such_currency(code: str) -> None:
    with pytest.raises(InputError) as caught:
        Currency(code)
    assert caught.value.code == "input.bad_currency"


def test_exponents_of_iso_4217() -> None:
    assert [Currency(code).exponent for code in ("JPY", "USD", "BHD", "CLF", "UYW", "ISK", "ZWG")] == [
        0, 2, 3, 4, 4, 0, 2,
    ]  # fmt: skip


def test_currencies_do_not_mix() -> None:
    one, other = Money(1, USD), Money(1, Currency("EUR"))
    assert one != other
    assert one + Money(2, USD) - Money(1, USD) == Money(2, USD) > one
    for combine in (one.__add__, one.__sub__, one.__lt__, one.__le__, one.__gt__, one.__ge__):
        with pytest.raises(ValueError, match="do not add"):
            combine(other)


@given(st.integers(0, 10**20))
def test_what_is_paid_never_exceeds_the_entitlement(micro: int) -> None:
    assert 0 <= micro - whole_minor(micro) * MICRO < MICRO


@given(shares, st.integers(0, 10**18))
def test_a_share_rounds_down_by_less_than_one(share: Share, amount: int) -> None:
    exact = share.fraction * amount
    assert exact - 1 < share.of(amount) <= exact
    assert Share.parse(str(share)) == share
    assert share.fraction + share.complement().fraction == 1


def test_a_share_is_reduced() -> None:
    assert Share.parse("2/10") == Share(1, 5)
    assert Share(1, 5).of(1_000_000) == 200_000
    assert Share(1, 5) < Share(1, 4)
    assert Share(1, 5).fraction == Fraction(1, 5)


@pytest.mark.parametrize("text", ["6/5", "1/0", "-1/5", "0.2", "20%", "", "1/", "1/5/2", "½"])
def test_no_share(text: str) -> None:
    with pytest.raises(InputError) as caught:
        Share.parse(text)
    assert caught.value.code == "input.bad_share"


@given(rates, st.integers(0, 10**7))
def test_a_frame_is_the_one_shown_when_it_begins(rate: Rate, frame: int) -> None:
    begins_ms = -(-frame * 1000 * rate.den // rate.num)
    assert rate.frame_at(begins_ms) == frame
    assert abs(Fraction(rate.duration_ms(frame)) - Fraction(frame * 1000 * rate.den, rate.num)) <= Fraction(1, 2)


@given(rates, st.integers(0, 24 * 3600 * 24 - 1))
def test_timecode_reads_what_it_writes(rate: Rate, frame: int) -> None:
    assert Timecode.parse(str(Timecode(frame, rate)), rate) == Timecode(frame, rate)


def test_timecode_counts_with_the_nominal_rate() -> None:
    assert str(Timecode(1799, Rate(30000, 1001))) == "00:00:59:29"
    assert str(Timecode(24 * 3600, Rate(24))) == "01:00:00:00"
    assert Rate.parse("30000/1001").nominal == 30
    assert Rate(48, 2) == Rate.parse("24")


@pytest.mark.parametrize("text", ["00:00:00:24", "24:00:00:00", "00:60:00:00", "00:00:00;00", "1:2:3:4", ""])
def test_no_timecode(text: str) -> None:
    with pytest.raises(InputError):
        Timecode.parse(text, Rate(24))


@pytest.mark.parametrize("text", ["0/1", "24/0", "-24", "23.976", "", "24/1/1"])
def test_no_rate(text: str) -> None:
    with pytest.raises(InputError):
        Rate.parse(text)


spans = st.tuples(st.integers(0, 50), st.integers(1, 50)).map(lambda at: FrameSpan(at[0], at[0] + at[1]))


@given(spans, spans)
def test_the_intersection_holds_the_common_frames(one: FrameSpan, other: FrameSpan) -> None:
    common = {frame for frame in range(101) if one.contains(frame) and other.contains(frame)}
    found = one.intersect(other)
    assert common == (set(range(found.start, found.end)) if found else set())
    assert one.shift(7).frames == one.frames


@pytest.mark.parametrize(("start", "end"), [(1, 1), (2, 1), (-1, 3)])
def test_no_span(start: int, end: int) -> None:
    with pytest.raises(InputError):
        FrameSpan(start, end)


@given(territories, territories)
def test_an_intersection_lies_in_both(one: Territory, other: Territory) -> None:
    both = one.intersect(other)
    assert one.contains(both)
    assert other.contains(both)
    assert both == other.intersect(one)
    assert one.contains(other) == (both == other)
    if both:
        assert Territory.parse(str(both)) == both


def test_the_world_is_more_than_a_list() -> None:
    assert WORLD.contains("US")
    assert not Territory(COUNTRIES).contains(WORLD)
    assert str(Territory.parse("us, DE")) == "DE,US"
    assert not Territory.parse("US").intersect(Territory.parse("DE"))


@pytest.mark.parametrize("text", ["", "UK", "US,", "US,us", "USA", "EU"])
def test_no_territory(text: str) -> None:
    with pytest.raises(InputError) as caught:
        Territory.parse(text)
    assert caught.value.code == "input.bad_territory"
