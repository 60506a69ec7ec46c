"""IBANs and BICs: check digits, forms, and that an error does not repeat the number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.errors import InputError
from fairframe.core.iban import check_bic, check_iban
from fairframe.core.sheet import cell

# the examples of the SWIFT registry
GOOD = ["DE89 3704 0044 0532 0130 00", "GB29 NWBK 6016 1331 9268 19", "fr1420041010050500013m02606", "NO9386011117947"]


@pytest.mark.parametrize("text", GOOD)
def test_good_ones(text: str) -> None:
    assert check_iban(text) == text.replace(" ", "").upper()


@given(st.integers(4, 21), st.integers(1, 9))
def test_no_digit_can_be_mistyped(at: int, by: int) -> None:
    iban = check_iban(GOOD[0])
    wrong = iban[:at] + str((int(iban[at]) + by) % 10) + iban[at + 1 :]
    with pytest.raises(InputError) as caught:
        check_iban(wrong)
    assert wrong not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "DE", "DE89", "DE8937040044053201300\u0660", "=1+1", "DE89370400440532013000" * 2]
)
def test_bad_ones(text: str) -> None:
    with pytest.raises(InputError):
        check_iban(text)


def test_bic() -> None:
    assert check_bic("cobadeff") == "COBADEFF" and check_bic("COBADEFFXXX") == "COBADEFFXXX"
    for text in ("COBADE", "COBADEFFX", "COBA11FF"):
        with pytest.raises(InputError):
            check_bic(text)


@given(st.text(max_size=5))
def test_no_cell_begins_like_a_formula(text: str) -> None:
    assert cell(text)[:1] not in ("=", "+", "-", "@", "\t", "\r") and cell(text).endswith(text)
