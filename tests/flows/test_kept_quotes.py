"""A quote that is kept is a state before the agreement: shown, signed exactly as it was, or refused with the reason."""

from typing import Any

import pytest

from fairframe.core.errors import Conflict, NotFound, Refused
from fairframe.core.time import DAY_MS
from fairframe.flows import quote as quotes
from fairframe.library.tables import contributor
from fairframe.platform import audit
from fairframe.rights import agreements, offers
from fairframe.rights import quotes as kept
from fairframe.rights.drafts import Ask
from fairframe.rights.tables import quote as quote_table

from ..cli.conftest import Fairframe, fairframe  # noqa: F401  (fixture)
from ..dataset.conftest import PEOPLE, Loop, films, loop  # noqa: F401  (fixtures)
from .test_deletion import offered


def keep(loop: Loop, offer: str = "research", **asked: Any) -> str:  # noqa: F811
    ask = Ask(**asked)
    found = quotes.quote(loop.library, offer, loop.lab.party_id, ask)
    with loop.library.write() as tx:
        return kept.keep(tx, loop.lab.party_id, ask, found.draft, found.figures())


def refused(loop: Loop, quote: str) -> str:  # noqa: F811
    with loop.library.write() as tx, pytest.raises((Refused, Conflict)) as error:
        kept.agree(tx, quote)
    return error.value.code


def test_what_was_quoted_is_what_is_signed(loop: Loop) -> None:  # noqa: F811
    quote = keep(loop, size="start-up")
    with loop.library.write() as tx:
        row = kept.find(tx, quote)
        assert (row["state"], row["agreement"], row["fee_minor"]) == ("quoted", None, 50_000)
        assert row["figures"]["delivers"]["clips"] == 8 and len(row["figures"]["pay"]) == 3
        names = {one["name"] for one in tx.rows(contributor.select())}
        assert names >= set(PEOPLE) and not [name for name in names if name in str(dict(row))], "no names of people"
        envelope = kept.agree(tx, quote)
    with loop.lab.write() as tx:
        signed = agreements.countersign(tx, envelope)
    with loop.library.write() as tx:
        deal = agreements.accept(tx, signed)
        after = kept.find(tx, quote)
        assert (deal.fee.minor, deal.terms.to_json()) == (after["fee_minor"], after["terms"])
        assert (after["state"], after["agreement"]) == ("agreed", deal.public_id)
    assert refused(loop, quote) == "quote.agreed"
    with loop.library.read() as tx, pytest.raises(NotFound):
        kept.find(tx, "quo_" + "0" * 26)


def test_an_offer_that_changed_since_is_not_signed(loop: Loop) -> None:  # noqa: F811
    quote = keep(loop, offered(loop, "research", "ours", deletion_days="40"))
    offered(loop, "research", "ours", deletion_days="41")
    with loop.library.read() as tx:
        before = audit.head(tx.conn)
    assert refused(loop, quote) == "quote.changed"
    offered(loop, "research", "ours", deletion_days="40")
    with loop.library.write() as tx:
        assert audit.head(tx.conn) == before
        assert kept.agree(tx, quote)


def test_a_quote_lapses_as_an_offer_would(loop: Loop) -> None:  # noqa: F811
    quote = keep(loop)
    loop.library.clock.advance(offers.load("research").terms.open_days * DAY_MS)  # type: ignore[attr-defined]
    with loop.library.read() as tx:
        assert [one["state"] for one in kept.listing(tx)] == ["lapsed"]
    assert refused(loop, quote) == "quote.lapsed"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_from_quote_to_agreement_on_the_command_line(loop: Loop, fairframe: Fairframe) -> None:  # noqa: F811
    library = ("-w", loop.library.root, "rights")
    told = fairframe(*library, "quote", "research", "--licensee", "North Lab", "--size", "start-up", "--keep", "--json")
    quote = told.data["quote"]
    (row,) = fairframe(*library, "list", "--json").data
    assert (row["id"], row["state"], row["fee"]) == (quote, "quoted", "500.00 USD")
    assert "would deliver 8 clips" in fairframe(*library, "show", quote).out
    file = loop.tmp / "agreement.json"
    assert fairframe(*library, "agree", "--quote", quote, "--offer", "research", "-o", file).code == 2
    assert fairframe(*library, "agree", "-o", file).code == 2
    done = fairframe(*library, "agree", "--quote", quote, "-o", file)
    assert done.code == 0 and "500.00 USD" in done.out, done.err
    assert "quote.agreed" in fairframe(*library, "agree", "--quote", quote, "-o", file).err
    states = {one["id"][:3]: one["state"] for one in fairframe(*library, "list", "--json").data}
    assert states == {"agr": "offered", "quo": "agreed"}
    shown = fairframe(*library, "list").out
    assert quote in shown and file.is_file()
    with loop.library.read() as tx:
        assert len(tx.rows(quote_table.select())) == 1
