"""Whether people are to be seen, by a person's ruling: signed, reasoned, and expiring where it lets something in."""

from pathlib import Path

import pytest
from tests.conftest import SettableClock
from tests.rights.test_recheck import Scene, scene  # noqa: F401  (fixture)
from tests.rights.test_rulings import outcome, unknown_people

from fairframe.core import bundle
from fairframe.core.errors import InputError
from fairframe.core.time import DAY_MS
from fairframe.library import facts, releases
from fairframe.rights import people, rulings
from fairframe.verify.forms import check_form

ALLOWED_MS = rulings.ALLOW_DAYS * DAY_MS


def look(scene: Scene, seen: people.Seen, **more: object) -> rulings.Ruled:  # noqa: F811
    with scene.ws.write() as tx:
        return people.rule(tx, [scene.assets[0]], seen, reason="I looked", **more)  # type: ignore[arg-type]


def said(scene: Scene) -> str:  # noqa: F811
    with scene.ws.read() as tx:
        return facts.current(tx, scene.ids[0])["people"]


def test_nobody_to_be_seen_lets_it_in_until_it_expires(scene: Scene, clock: SettableClock) -> None:  # noqa: F811
    unknown_people(scene, 0)
    clock.advance(1)
    before = scene.clear()
    with scene.ws.read() as tx:
        assert people.preview(tx, scene.assets[:1], "none")[0].after == {"ALLOW": 1, "REVIEW": 0, "DENY": 0}
    done = look(scene, "none", by="Rea Viewer")
    assert outcome(scene, 0) == "ALLOW" and scene.lost(before) == {}
    cleared = scene.clear()
    clock.advance(ALLOWED_MS - 1)
    assert said(scene) == "no"
    clock.advance(1)
    assert said(scene) == "unknown" and scene.lost(cleared)[0] == ("people_unknown",), "caught by the clock alone"
    keyid, private = scene.ws.keys.signing_key()
    opened = bundle.open_signed(done.envelope, {keyid: private.public_key()})[0]
    assert (opened.type, opened.body["finding"], opened.body["decision"]) == ("ruling", "people", "none")
    assert {one.ok for one in check_form(opened, Path())} == {True}
    assert b"Rea" not in done.envelope and opened.body["reason"] == "I looked"


def test_people_seen_ask_for_a_release_whatever_the_metadata_says(scene: Scene, clock: SettableClock) -> None:  # noqa: F811
    assert outcome(scene, 0) == "ALLOW"
    clock.advance(1)
    cleared = scene.clear()
    look(scene, "seen")
    assert scene.lost(cleared) == {0: ("model_release_missing",)}
    with scene.ws.write() as tx:
        releases.add(tx, scene.assets[0], "model", b"I agree to the training of models.", True)
    assert outcome(scene, 0) == "ALLOW"
    clock.advance(10 * ALLOWED_MS)
    assert said(scene) == "yes", "it expires for nobody's benefit"


def test_metadata_never_takes_back_that_a_person_saw_people(scene: Scene, clock: SettableClock) -> None:  # noqa: F811
    def metadata(value: str) -> list[str]:
        clock.advance(1)
        with scene.ws.write() as tx:
            return facts.say_from_metadata(tx, scene.assets[0], {"people": value, "editorial": "no"})

    clock.advance(1)
    look(scene, "seen")
    for value in ("no", "unknown", "yes", "no"):
        assert "people" not in metadata(value)
        assert said(scene) == "yes" and outcome(scene, 0) == "REVIEW"
    look(scene, "none")
    assert said(scene) == "no", "a person who looked again can"
    assert "people" in metadata("yes") and said(scene) == "yes", "and metadata can ask for more than a person did"


def test_a_later_ruling_outlives_the_end_of_an_older_one(scene: Scene, clock: SettableClock) -> None:  # noqa: F811
    look(scene, "none", expires_ms=clock.now + 10 * DAY_MS)
    clock.advance(DAY_MS)
    look(scene, "none", expires_ms=clock.now + 30 * DAY_MS)
    clock.advance(20 * DAY_MS)
    assert said(scene) == "no"
    look(scene, "seen")
    clock.advance(20 * DAY_MS)
    assert said(scene) == "yes"


def test_what_is_no_ruling(scene: Scene, clock: SettableClock) -> None:  # noqa: F811
    with scene.ws.write() as tx:
        for seen, more in (
            ("none", {"expires_ms": clock.now}),
            ("none", {"expires_ms": clock.now + 5_000 * DAY_MS}),
            ("seen", {"reason": " "}),
        ):
            with pytest.raises(InputError):
                people.rule(tx, scene.assets[:1], seen, **{"reason": "x", **more})  # type: ignore[arg-type]
        with pytest.raises(InputError):
            people.rule(tx, [], "seen", reason="x")
