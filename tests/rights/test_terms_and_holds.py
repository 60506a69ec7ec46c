"""Contributors' terms, notice, holds and pseudonyms."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.rights.test_agreements import agreed
from tests.rights.test_recheck import add_asset

from fairframe.core.errors import Conflict, InputError, NotFound
from fairframe.core.time import DAY_MS
from fairframe.library import contributors
from fairframe.platform.tables import audit_entry
from fairframe.platform.workspace import Workspace
from fairframe.rights import clearing, consent, holds, terms
from fairframe.rights.pseudonyms import pseudonym


def toml(notice: str = "2026-01-01", effective: str = "2026-03-01", version: int = 1, regime: str = "opt-out") -> bytes:
    return f"""
name = "contributors"
version = {version}
regime = "{regime}"
notice_date = {notice}
notice_days = 30
effective_date = {effective}
names = ["research"]
text = "Silence consents to research."
""".encode()


def day(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_terms_are_kept_once_and_never_changed(library: Workspace) -> None:
    with library.write() as tx:
        first = terms.add(tx, toml())
        assert terms.add(tx, toml()) == first
        assert (first["notice_ms"], first["effective_ms"]) == (day("2026-01-01"), day("2026-03-01"))
        with pytest.raises(Conflict):
            terms.add(tx, toml(regime="opt-in"))
        second = terms.add(tx, toml(version=3))
        with pytest.raises(Conflict):
            terms.add(tx, toml(version=2))
    with library.read() as tx:
        assert [row["version"] for row in terms.listing(tx)] == [1, 3]
        assert terms.find(tx, "contributors") == second
        assert terms.find(tx, "contributors", 1) == first == terms.find(tx, first["public_id"])
        with pytest.raises(NotFound):
            terms.find(tx, "nothing")
        kinds = [row["kind"] for row in tx.rows(audit_entry.select())]
        assert kinds.count("terms.added") == 2


@pytest.mark.parametrize(
    "bad",
    [
        toml(effective="2026-01-30"),
        toml(effective="2025-01-30", regime="opt-in"),
        toml(regime="maybe"),
        toml(version=0),
        toml().replace(b'names = ["research"]', b"names = []"),
        toml().replace(b"[", b'["research", '),
        toml() + b"\nextra = 1",
        toml().replace(b"2026-01-01", b'"2026-01-01"'),
        b"\xff",
        b"x" * 300_000,
    ],
)
def test_bad_terms_are_refused(bad: bytes) -> None:
    with pytest.raises(InputError) as caught:
        terms.parse(bad, "terms.toml")
    assert "terms.toml" in str(caught.value) and "\n" not in str(caught.value)


def test_silence_under_opt_out_clears_only_whom_notice_reached_in_time(
    library: Workspace,
    lab: Workspace,
    clock,  # type: ignore[no-untyped-def]
) -> None:
    agreement = agreed(library, lab)
    effective = datetime.fromtimestamp(clock.now / 1000, UTC).date() + timedelta(days=45)
    notice = effective - timedelta(days=60)
    with library.write() as tx:
        version = terms.add(tx, toml(notice.isoformat(), effective.isoformat()))
        people = [contributors.ensure(tx, name) for name in ("In Time", "Not Told", "No Longer")]
        early, late, _ = [add_asset(tx, one, f"{n}.mp4") for n, one in enumerate(people)]
        for one in (people[0], people[2]):
            terms.accept(tx, one, version, tx.now_ms, tx.now_ms)
        with pytest.raises(InputError):
            terms.accept(tx, people[1], version, tx.now_ms + 1, tx.now_ms)
        with pytest.raises(InputError):
            terms.accept(tx, people[1], version, version["notice_ms"] - 1, tx.now_ms)
        consent.opt_out(tx, people[2])
    assert clearing.clear_agreement(library, agreement).counts["DENY"] == 3, "not yet effective"
    clock.advance(20 * DAY_MS)
    with library.write() as tx:
        terms.accept(tx, people[1], version, tx.now_ms, tx.now_ms)
    clock.advance(30 * DAY_MS)
    cleared = clearing.clear_agreement(library, agreement)
    assert cleared.counts == {"ALLOW": 1, "REVIEW": 0, "DENY": 2}
    assert cleared.decisions[early["id"]] == ("ALLOW", ())
    assert cleared.decisions[late["id"]] == ("DENY", ("no_consent",))
    with library.read() as tx:
        assert [row["version"] for row in terms.told(tx, people[0]["id"])] == [1]


def test_a_hold_denies_until_it_is_lifted(library: Workspace, lab: Workspace) -> None:
    agreement = agreed(library, lab)
    with library.write() as tx:
        person = contributors.ensure(tx, "Ada Quist")
        consent.set(tx, contributor=person, effect="allow", purpose="research")
        row = add_asset(tx, person, "a.mp4")
        hold = holds.place(tx, row, code="dispute", reason="Bo says it is his")
        assert holds.place(tx, row, code="dispute", reason="again") == hold
        other = holds.place(tx, row, code="same_bytes", reason="two contributors")
        assert [h["public_id"] for h in holds.listing(tx)] == [hold, other]
    assert clearing.clear_agreement(library, agreement).counts["DENY"] == 1
    with library.write() as tx:
        for one in (hold, other):
            holds.lift(tx, one, "settled")
        with pytest.raises(Conflict):
            holds.lift(tx, hold, "settled")
        with pytest.raises(NotFound):
            holds.lift(tx, "hld_x", "settled")
        assert holds.listing(tx) == [] and len(holds.listing(tx, lifted=True)) == 2
    assert clearing.clear_agreement(library, agreement).counts["ALLOW"] == 1
    with library.write() as tx:
        assert holds.place(tx, row, code="dispute", reason="anew") != hold


@pytest.mark.parametrize(("code", "reason"), [("", "x"), ("two words", "x"), ("x" * 41, "x"), ("x", " "), ("ü", "x")])
def test_a_hold_needs_a_code_and_a_reason(library: Workspace, code: str, reason: str) -> None:
    with library.write() as tx, pytest.raises(InputError):
        holds.place(tx, add_asset(tx, contributors.ensure(tx, "Ada"), "a.mp4"), code=code, reason=reason)


def test_a_pseudonym_is_stable_in_a_family_and_tells_nothing_across() -> None:
    secret = bytes(range(32))
    name = pseudonym(secret, "agr_1", "ast_1")
    # HMAC-SHA256(key, "agr_1|ast_1"), 16 bytes, Crockford base32: must never drift, or an upgrade would lose track
    assert name == "psn_0pzt5fhv1bcye7n049v7rsj0ra"
    assert name == pseudonym(secret, "agr_1", "ast_1")
    others = [
        pseudonym(secret, "agr_2", "ast_1"),
        pseudonym(secret, "agr_1", "ast_2"),
        pseudonym(b"x", "agr_1", "ast_1"),
    ]
    assert len({name, *others}) == 4
