"""What an upgrade would do, before it is signed."""

import pytest

from fairframe.core.errors import NotFound
from fairframe.core.money import parse_money
from fairframe.flows import upgrade, upgrade_diff
from fairframe.library import contributors
from fairframe.rights import consent
from fairframe.rights.drafts import Ask

from ..dataset.conftest import PEOPLE, Loop, at_lab, films, loop  # noqa: F401  (fixtures)
from .test_deletion import trained
from .test_quote import everything

ANA, BEN, CHEN = PEOPLE


def allow(loop: Loop, who: str, purpose: str) -> None:  # noqa: F811
    with loop.library.write() as tx:
        consent.set(tx, contributor=contributors.find(tx, who), effect="allow", purpose=purpose)


@pytest.mark.usefixtures("at_lab")
def test_research_consent_is_no_commercial_consent(loop: Loop) -> None:  # noqa: F811
    allow(loop, ANA, "commercial")
    with loop.library.write() as tx:
        consent.set(tx, contributor=contributors.find(tx, CHEN), effect="deny", purpose="commercial")
        consent.set(tx, contributor=contributors.find(tx, BEN), effect="deny", purpose="research")
        consent.set(tx, contributor=contributors.find(tx, BEN), effect="allow", purpose="commercial")
    trained(loop, "of-ana", ANA)
    trained(loop, "of-both", ANA, CHEN)
    before = everything(loop.library)
    rows: list[tuple[str, str, str]] = []
    found = upgrade_diff.diff(loop.library, loop.agreement, "commercial", Ask(size="start-up"), rows.extend)
    assert everything(loop.library) == before
    assert (found.kept, found.count("adds"), found.count("loses")) == (2, 1, 1)
    assert {(one.change, one.reason) for one in found.changed} == {
        ("adds", "consent_denied"),
        ("loses", "consent_denied"),
    }
    assert sorted(change for _, change, _ in rows) == ["adds", "loses"]
    assert {row[0] for row in rows} == {one for changed in found.changed for one in changed.examples}
    assert (found.fee, found.paid) == (parse_money("3000.00", "USD"), parse_money("10000.00", "USD"))
    assert [(one.name, one.granted) for one in found.checkpoints] == [("of-ana", True), ("of-both", False)]
    assert found.blocked() == {"consent_denied": 1}


@pytest.mark.usefixtures("at_lab")
def test_the_upgrade_then_does_what_the_diff_said(loop: Loop) -> None:  # noqa: F811
    allow(loop, ANA, "commercial")
    for name, who in (("a", (ANA,)), ("b", (BEN,)), ("c", (ANA, BEN, CHEN))):
        trained(loop, name, *who)
    found = upgrade_diff.diff(loop.library, loop.agreement, "commercial")
    loop.agree(upgrade_of=loop.agreement, offer="commercial")
    with loop.library.write() as tx:
        done = upgrade.grant(tx, loop.agreement)
    assert [(one.name, one.envelope is not None) for one in done] == [(o.name, o.granted) for o in found.checkpoints]
    assert [one.reasons for one in done] == [one.reasons for one in found.checkpoints]


@pytest.mark.usefixtures("at_lab")
def test_where_the_terms_grant_nothing_no_asset_is_to_blame(loop: Loop) -> None:  # noqa: F811
    trained(loop, "a", ANA)
    folder = loop.library.root / "offers"
    folder.mkdir()
    from fairframe.rights.offers import SHIPPED

    text = (SHIPPED / "research.toml").read_text().replace('"grant_if_all_consent"', '"none"')
    (folder / "research.toml").write_text(text)
    found = upgrade_diff.diff(loop.library, loop.agreement, "research")
    assert (found.kept, found.changed, found.blocked()) == (4, (), {"agreement": 1})
    with pytest.raises(NotFound):
        upgrade_diff.diff(loop.library, "agr_" + "0" * 26, "commercial")
