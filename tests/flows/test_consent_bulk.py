"""Many words at once: the preview is what happens, all lines or none, and a publication that races sees each."""

from pathlib import Path
from time import monotonic

import pytest
from tests.rights.test_recheck import Scene, scene  # noqa: F401  (fixture)
from tests.rights.worlds import asset_values

from fairframe.core.errors import Conflict, InputError, Refused
from fairframe.core.ids import new_id
from fairframe.core.time import DAY_MS
from fairframe.dataset.tables import feed_entry
from fairframe.flows import consent_bulk as flow
from fairframe.library import choose, contributors
from fairframe.library.choose import Which
from fairframe.library.tables import asset, ownership
from fairframe.platform import audit
from fairframe.platform.tables import audit_entry
from fairframe.platform.tx import Row, Tx
from fairframe.platform.workspace import Workspace
from fairframe.rights import clearing, consent, consent_bulk, consent_table, facts, moment, snapshot
from fairframe.rights.clearance import clear
from fairframe.rights.consent_bulk import Word
from fairframe.rights.tables import consent_event

from ..dataset.conftest import PEOPLE, Loop, at_lab, films, loop  # noqa: F401  (fixtures)

ANA = PEOPLE[0]


def head(tx: Tx) -> object:
    return audit.head(tx.conn), len(tx.rows(consent_event.select())), len(tx.rows(feed_entry.select()))


def table(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("asset,effect,purpose,action,reason", *lines)) + "\n", "utf-8")
    return path


@pytest.mark.usefixtures("at_lab")
def test_the_preview_is_what_happens(loop: Loop) -> None:  # noqa: F811
    who = loop.contributor(ANA)
    with loop.library.read() as tx:
        before = head(tx)
        rows = choose.choose(tx, who, Which(match="ANA-*"))
    said = [Word(row, "deny", "research", reason="private") for row in rows]
    shown = flow.preview(loop.library, who, said)
    with loop.library.read() as tx:
        assert head(tx) == before, "looking changes nothing"
    assert (shown.words, shown.assets, shown.unchanged, shown.opens_incident) == (2, 2, 0, False)
    assert shown.duration_ms == sum(row["duration_ms"] for row in rows)
    assert [(t.purpose, len(t.actions), t.before, t.after, t.assets) for t in shown.turns] == [
        ("research", 7, "consented", "consent_denied", 2)
    ]
    assert [(c.before["ALLOW"], c.after["ALLOW"], c.after["DENY"]) for c in shown.clearances] == [(2, 0, 2)]
    assert [(one.name, one.items) for one in shown.takes_back] == [("squares", 4)]
    with loop.library.write() as tx:
        done = flow.say(tx, who, said)
    assert [one.items for one in done.revoked] == [len(loop.items_of(ANA))]
    assert sum(one.duration_ms for one in done.revoked) == shown.takes_back[0].duration_ms
    with loop.library.read() as tx:
        leaves = tx.rows(audit_entry.select().where(audit_entry.c.kind == "consent.deny"))
        assert [leaf["subject"] for leaf in leaves] == [row["public_id"] for row in rows], "an entry under each asset"
        assert all("private" not in leaf["body"] for leaf in leaves)
    assert flow.preview(loop.library, who, said).turns == (), "the same again changes nothing"


def test_research_yes_and_open_weights_no(scene: Scene, tmp_path: Path) -> None:  # noqa: F811
    """One action alone: an agreement that does not grant it clears on, one that does is denied, in SQL and Python."""
    with scene.ws.write() as tx:
        flow.say(tx, scene.ada, [Word(scene.assets[0], "deny", "*", "release_weights")])
        consent.set(tx, contributor=scene.bo, effect="deny", purpose="*", action="release_weights")
    assert scene.clear().counts["ALLOW"] == 4
    terms = scene.agreement.terms.model_copy(
        update={"weights_release": True, "actions": ("train", "release_weights"), "model_scope": "any"}
    )
    taken = snapshot.extract(scene.ws, tmp_path / "snapshot")
    decided = clearing.decide(taken, terms, "research", tmp_path / "out.parquet").decisions
    assert [decided[key] for key in scene.ids] == [
        ("DENY", ("consent_denied",)),
        ("ALLOW", ()),
        ("DENY", ("consent_denied",)),
        ("DENY", ("consent_denied",)),
    ]
    with scene.ws.read() as tx:
        now = moment.present(tx)
        for key, view in facts.load(tx, scene.ids, now).items():
            found = clear(view, terms, "research", now.at_ms)
            assert (found.outcome, found.codes) == decided[key]
            assert all("release_weights" in one.text and "train" not in one.text for one in found.findings)


def test_each_filter_narrows(scene: Scene, clock) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    clock.advance(DAY_MS)
    with scene.ws.write() as tx:
        values = {**asset_values(scene.ada["id"], "Harbor/Boat 1.mp4"), "title": "A boat", "duration_ms": 60_000}
        tx.insert(asset, public_id=new_id("ast"), **values, recorded_at_ms=tx.now_ms)
        values = {**asset_values(scene.ada["id"], "tall.mp4"), "width": 256, "height": 4000}
        tx.insert(asset, public_id=new_id("ast"), **values, recorded_at_ms=tx.now_ms)
        half = {"share_num": 1, "share_den": 2, "valid_from_ms": tx.now_ms}
        tx.insert(ownership, asset_id=scene.ids[2], contributor_id=scene.ada["id"], **half)
        tx.record("asset.owners", scene.assets[2]["public_id"], {})

    def names(**which: object) -> list[str]:
        with scene.ws.read() as tx:
            return [row["filename"] for row in choose.choose(tx, scene.ada, Which(**which))]  # type: ignore[arg-type]

    every = ["0.mp4", "1.mp4", "2.mp4", "Harbor/Boat 1.mp4", "tall.mp4"]
    assert names() == every, "theirs, and what they have a share in"
    assert names(match="harbor*") == names(words="boat") == names(min_ms=2_000) == ["Harbor/Boat 1.mp4"]
    assert names(match="[01].mp4") == ["0.mp4", "1.mp4"] and names(match="1.mp4") == ["1.mp4"]
    assert names(max_side=256) == ["tall.mp4"] and "tall.mp4" not in names(min_side=257)
    assert names(since_ms=clock.now) == every[3:] and names(until_ms=clock.now) == every[:3]
    assert names(collection=scene.harbor["id"]) == ["0.mp4"]
    assert names(max_ms=1_000, match="*1*") == ["1.mp4"]
    assert Which().all and not Which(min_side=1).all
    for bad in ("x" * 501, "\x00"):
        with pytest.raises(InputError):
            names(match=bad)


def test_a_table_is_used_whole(scene: Scene, tmp_path: Path) -> None:  # noqa: F811
    own = scene.assets[1]["public_id"]
    good = table(
        tmp_path / "w.csv", "0.mp4,deny,commercial,,=1+1", f"{own},Allow,research,TRAIN,", "0.mp4,deny,*,serve,"
    )
    with scene.ws.read() as tx:
        words = consent_table.read(tx, scene.ada, good)
    assert [(w.asset["filename"], w.effect, w.purpose, w.action) for w in words] == [
        ("0.mp4", "deny", "commercial", "*"),
        ("1.mp4", "allow", "research", "train"),
        ("0.mp4", "deny", "*", "serve"),
    ]
    lines = [
        "0.mp4,deny,commercial,,",
        "0.mp4,allow,commercial,*,",
        "2.mp4,deny,research,,",
        "nothing.mp4,deny,research,,",
        "1.mp4,perhaps,research,,",
        "1.mp4,deny,fun,,",
        "1.mp4,deny,research,fly,",
        "1.mp4,deny,research,train,a\x1b[2J",
        "1.mp4,deny,research,train," + "x" * 2_001,
        "1.mp4,deny,research,serve,a,b",
        "1.mp4,allow,research",
        "1.mp4,deny,evaluate",
    ]
    with scene.ws.read() as tx, pytest.raises(Refused) as caught:
        consent_table.read(tx, scene.ada, table(tmp_path / "bad.csv", *lines))
    assert caught.value.code == "consent.bad_lines" and "10 of 12" in caught.value.message
    assert [reason.split(":")[0] for reason in caught.value.reasons] == [f"line {n}" for n in range(3, 13)]
    for text in (
        b"asset,effect\n",
        b"asset,effect,purpose,price\n",
        b"asset,effect,purpose\na\x00,deny,*\n",
        b"PK\x03\x04",
    ):
        (tmp_path / "odd.csv").write_bytes(text)
        with scene.ws.read() as tx, pytest.raises(InputError) as odd:
            consent_table.read(tx, scene.ada, tmp_path / "odd.csv")
        assert odd.value.code == "input.bad_csv"


def test_words_that_cannot_be_said_leave_nothing(scene: Scene) -> None:  # noqa: F811
    word = Word(scene.assets[0], "deny", "research")
    with scene.ws.write() as tx:
        consent.opt_out(tx, scene.bo)
    with scene.ws.read() as tx:
        before = head(tx)
    for who, words, error in (
        (scene.ada, [], InputError),
        (scene.ada, [word, word], InputError),
        (scene.ada, [word, Word(scene.assets[1], "deny", "fun")], InputError),
        (scene.ada, [word] * (consent_bulk.MAX_WORDS + 1), InputError),
        (scene.bo, [Word(scene.assets[2], "allow", "research")], Conflict),
    ):
        with pytest.raises(error), scene.ws.write() as tx:
            flow.say(tx, who, words)
    with scene.ws.read() as tx:
        assert head(tx) == before


def test_a_release_that_is_about_to_be_published_sees_each_word(scene: Scene) -> None:  # noqa: F811
    cleared = scene.clear()
    with scene.ws.write() as tx:
        flow.say(tx, scene.ada, [Word(row, "deny", "research") for row in scene.assets[:2]])
    assert scene.lost(cleared) == {0: ("consent_denied",), 1: ("consent_denied",)}


def many(ws: Workspace, count: int) -> Row:
    with ws.write() as tx:
        who = contributors.ensure(tx, "Maker of Many")
        consent.set(tx, contributor=who, effect="allow", purpose="research")
        tx.insert_many(
            asset,
            [{"public_id": new_id("ast"), **asset_values(who["id"], f"harbor/{n}.mp4")} for n in range(count)],
        )
        tx.record("asset.added", who["public_id"], {})
    return who


def test_four_thousand_clips_go_in_one_act(scene: Scene) -> None:  # noqa: F811
    who = many(scene.ws, 4_000)
    with scene.ws.read() as tx:
        said = [Word(row, "deny", "*") for row in choose.choose(tx, who, Which(match="harbor/*"))]
    began = monotonic()
    shown = flow.preview(scene.ws, who, said)
    looked = monotonic()
    with scene.ws.write() as tx:
        done = flow.say(tx, who, said)
    ended = monotonic()
    assert len(done.events) == 4_000 and {t.assets for t in shown.turns} == {4_000}
    assert scene.clear().counts == {"ALLOW": 4, "REVIEW": 0, "DENY": 4_000}
    print(f"preview {looked - began:.1f} s, act {ended - looked:.1f} s")
    # far from what it takes, so that a busy machine does not fail it, and a look at each asset by itself would
    assert ended - began < 60
