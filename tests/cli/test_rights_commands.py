"""What cannot be undone is shown and asked before, and is not done where its result could not be kept."""

import pytest

from fairframe.dataset import feeds
from fairframe.dataset.tables import feed_entry
from fairframe.flows import opt_out
from fairframe.library import contributors
from fairframe.rights import agreements, consent, offers
from fairframe.verify.beside import beside

from ..conftest import MACHINE_MS, SettableClock
from ..dataset.conftest import FILES, PEOPLE, Loop, at_lab, films, loop  # noqa: F401  (fixtures)
from .conftest import Fairframe

ANA, BEN, CHEN = PEOPLE


@pytest.fixture
def database() -> str:
    """The commands open the workspaces by their folders, so on SQLite."""
    return "sqlite"


@pytest.fixture
def clock() -> SettableClock:
    """Beside these workspaces the commands open their own, at the time of the machine."""
    return SettableClock(MACHINE_MS)


def taken_back(loop: Loop, who: str) -> None:  # noqa: F811
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, who))
        data = feeds.issue(tx, loop.agreement)
    with loop.lab.write() as tx:
        feeds.refresh(tx, data)


@pytest.mark.usefixtures("at_lab")
def test_nothing_is_deleted_where_the_attestation_could_not_be_kept(loop: Loop, fairframe: Fairframe) -> None:  # noqa: F811
    taken_back(loop, ANA)
    (loop.tmp / "file").write_text("")
    refused = fairframe(
        "-w", loop.lab.root, "rights", "attest", "squares", "-o", loop.tmp / "file" / "att.json", "--yes"
    )
    assert refused.code == 1 and "input.unwritable" in refused.err
    with loop.lab.read() as tx:
        assert not [one for one in tx.rows(feeds.document.select()) if one["type"] == "attestation"]
    first, second = loop.tmp / "1.json", loop.tmp / "2.json"
    for file in (first, second):
        done = fairframe("-w", loop.lab.root, "rights", "attest", "squares", "-o", file, "--yes")
        assert done.code == 0, done.err
    assert first.read_bytes() == second.read_bytes()
    assert beside(first).read_bytes() == beside(second).read_bytes() != b""
    third = loop.tmp / "alone.json"
    third.write_bytes(first.read_bytes())
    assert "list.missing" in fairframe("-w", loop.library.root, "rights", "attested", third).err
    assert fairframe("-w", loop.library.root, "rights", "attested", second).code == 0


def test_no_offer_stands_where_its_document_could_not_be_kept(loop: Loop, fairframe: Fairframe) -> None:  # noqa: F811
    order = ("rights", "agree", "--offer", "research", "--licensee", loop.lab.party_id, "-o", loop.tmp)
    assert "input.unwritable" in fairframe("-w", loop.library.root, *order).err
    with loop.library.read() as tx:
        assert agreements.listing(tx) == []


def test_an_agreement_is_read_before_it_is_signed(loop: Loop, fairframe: Fairframe) -> None:  # noqa: F811
    text = (offers.SHIPPED / "research.toml").read_text()
    folder = loop.library.root / "offers"
    folder.mkdir()
    (folder / "research.toml").write_text(text.replace("deletion_days = 30", "deletion_days = 1"))
    offer, signed, lab = loop.tmp / "offer.json", loop.tmp / "signed.json", loop.lab.root
    order = ("rights", "agree", "--offer", "research", "--licensee", loop.lab.party_id, "--fee", "900.00", "-o", offer)
    assert fairframe("-w", loop.library.root, *order).code == 0
    unread = fairframe("-w", lab, "rights", "sign", offer, "-o", signed)
    assert unread.code == 1 and "input.confirm" in unread.err and not signed.exists()
    assert "900.00 USD" in unread.out and "attested within 1 day" in unread.out
    assert "not the usual research license" in unread.err
    said = fairframe("-w", lab, "rights", "show", offer, "--json").data
    assert (said["state"], said["countersigned"], said["unusual"]) == ("not taken here", False, {"deletion_days": 30})
    assert fairframe("-w", lab, "rights", "sign", offer, "-o", signed, "--yes").code == 0
    for given in (signed, said["id"]):
        read = fairframe("-w", lab, "rights", "show", given, "--json").data
        assert (read["state"], read["countersigned"], read["fee_minor"]) == ("active", True, 90_000)
    assert "agreement.missing" in fairframe("-w", lab, "rights", "show", "agr_" + "0" * 26).err
    offer.write_bytes(offer.read_bytes().replace(b'"payload":"', b'"payload":"A', 1))
    assert fairframe("-w", lab, "rights", "show", offer).code == 1


@pytest.mark.usefixtures("at_lab")
def test_a_no_that_takes_something_back_is_shown_and_asked(loop: Loop, fairframe: Fairframe) -> None:  # noqa: F811
    said = ("-w", loop.library.root, "rights", "consent", ANA, "--deny", "research")
    unasked = fairframe(*said)
    assert unasked.code == 1 and "input.confirm" in unasked.err
    assert "squares" in unasked.out and "North Lab" in unasked.out and " 4 " in unasked.out
    with loop.library.read() as tx:
        assert len(consent.listing(tx, contributors.find(tx, ANA)["id"])) == 1
        assert not tx.rows(feed_entry.select())
    assert "4 delivered items taken back" in fairframe(*said, "--yes").out
    assert fairframe("-w", loop.library.root, "rights", "consent", ANA, "--deny", "evaluate").code == 0, "takes nothing"
    overall = ("-w", loop.library.root, "rights", "consent", BEN, "--deny", "*")
    assert "input.confirm" in fairframe(*overall).err
    assert "opted out, 2 delivered items taken back" in fairframe(*overall, "--yes").out
    foreign = fairframe(*said, "--asset", next(name for name, who in FILES.items() if who == CHEN))
    assert foreign.code == 1 and "input.foreign_asset" in foreign.err


def test_money_is_shown_and_asked_before_it_is_booked(loop: Loop, fairframe: Fairframe) -> None:  # noqa: F811
    deal = loop.agree()
    order = ("-w", loop.library.root, "royalties", "revenue", deal, "--amount", "100.00", "--ref", "INV-1")
    unasked = fairframe(*order)
    assert unasked.code == 1 and "input.confirm" in unasked.err
    assert "North Lab" in unasked.out and "20.00" in unasked.out
    assert fairframe(*order, "--yes").code == 0
    assert "known" in fairframe(*order).out, "what is booked already asks nothing"
    back = ("-w", loop.library.root, "royalties", "correct", deal, "--ref", "INV-1", "--reason", "a slip")
    assert "input.confirm" in fairframe(*back).err
    assert fairframe(*back, "--yes").code == 0
    late = fairframe(*order[:-1], "INV-2", "--yes", "--received", "2999-01-01T00:00:00.000Z")
    assert late.code == 1 and "revenue.time" in late.err


def test_a_deal_is_quoted_compared_amended_and_said_in_public_forms(loop: Loop, fairframe: Fairframe) -> None:  # noqa: F811
    library, lab, tmp = loop.library.root, loop.lab.root, loop.tmp
    said = ("-w", library, "rights", "quote", "research", "--licensee", "North Lab", "--size", "start-up")
    quoted = fairframe(*said, "--json").data
    assert (quoted["fee_minor"], quoted["delivers"]["clips"], len(quoted["pay"])) == (50_000, 8, 3)
    shown = fairframe(*said)
    assert shown.code == 0 and "500.00 USD" in shown.out and ANA in shown.out and "nothing was written" in shown.err
    assert "input.bad_size" in fairframe(*said[:-1], "vast").err
    deal = loop.agree()
    table = tmp / "changes.csv"
    compared = fairframe("-w", library, "rights", "diff", deal, "--to", "commercial", "--assets", table, "--json").data
    assert (compared["assets"]["loses"], compared["assets"]["by_reason"][0]["reason"]) == (4, "no_consent")
    assert table.read_text().splitlines()[0] == "asset,change,reason" and len(table.read_text().splitlines()) == 5
    assert "loses 4" in fairframe("-w", library, "rights", "diff", deal, "--to", "commercial").out
    offer, signed = tmp / "amended.json", tmp / "amended-signed.json"
    order = ("-w", library, "rights", "amend", deal, "-o", offer, "--set")
    assert "input.bad_terms" in fairframe(*order, "purpose='commercial'").err
    assert "input.bad_terms" in fairframe(*order, "no term").err
    shown = fairframe(*order, "hour_cap=200", "--set", 'territory="US,DE"')
    assert shown.code == 0 and "version 2" in shown.out and "100 hours in each release" in shown.out
    assert fairframe("-w", lab, "rights", "sign", offer, "-o", signed, "--yes").code == 0
    assert fairframe("-w", library, "rights", "accept", signed).code == 0
    states = {one["version"]: one["state"] for one in fairframe("-w", library, "rights", "list", "--json").data}
    assert states == {1: "amended", 2: "active"}
    read = fairframe("-w", lab, "rights", "show", signed, "--json").data
    assert (read["amends"], {one["term"] for one in read["changes"]}) == (deal, {"most hours", "where", "price"})
    policy = fairframe("-w", library, "rights", "odrl", deal).data
    assert policy["@type"] == "Agreement" and policy["uid"].endswith(f"{deal}:1")
    document = fairframe("-w", library, "rights", "rsl", "research", "--content", "/", "--terms", "/terms").out
    assert document.startswith("<?xml") and "ai-train" in document
    assert fairframe("rights", "schema").data == offers.schema()
