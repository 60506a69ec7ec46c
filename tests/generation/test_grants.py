"""What a lab takes for a grant, and what an opt-out does to a checkpoint."""

from collections.abc import Callable
from typing import Any

import pytest

from fairframe.core.errors import FairframeError, Refused
from fairframe.core.grant_body import GrantBody
from fairframe.generation import grants
from fairframe.platform import bundles
from fairframe.rights import agreements
from fairframe.training import permissions, registry
from fairframe.training.happened import happen

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"weights_hash": "0" * 64}, "grant.mismatch"),
        ({"family": "agr_" + "0" * 26}, "grant.mismatch"),
        ({"agreement": "agr_" + "0" * 26}, "agreement.missing"),
        ({"checkpoint": "ckp_" + "0" * 26}, "model.missing"),
        ({"checkpoint": "harbor"}, "document.field"),
        ({"more": 1}, "document.field"),
    ],
    ids=str,
)
def test_a_grant_that_does_not_fit(studio: Any, upgrade: Callable[[], str], changes: dict[str, Any], code: str) -> None:
    commercial = upgrade()
    with studio.library.write() as tx:
        found = agreements.find(tx, commercial)
        (row,) = [one for one in registry.listing(tx) if one["direction"] == "reported"]
        body = GrantBody(studio.checkpoint, row["weights_hash"], commercial, found.family).to_json()
        data = bundles.issue(tx, "grant", studio.lab.party_id, {**body, **changes}, found.ref)
    with pytest.raises(FairframeError) as error, studio.lab.write() as tx:
        grants.take(tx, data)
    assert error.value.code == code
    with studio.lab.read() as tx:
        assert registry.events(tx, registry.find(tx, "harbor")["id"]) == []


def test_a_deleted_checkpoint_is_used_for_nothing(studio: Any) -> None:
    with studio.lab.write() as tx:
        row = registry.find(tx, "harbor")
        assert permissions.require(tx, row, "generate", "evaluate").grant is None
        happen(tx, row, "deleted", reason="a contributor asked")
    with studio.lab.read() as tx, pytest.raises(Refused) as refused:
        permissions.require(tx, registry.find(tx, "harbor"), "generate", "evaluate")
    assert [reason.partition(":")[0] for reason in refused.value.reasons] == ["guard.deleted"]


def test_an_opt_out_blocks_an_upgrade(studio: Any, upgrade: Callable[[], str]) -> None:
    from fairframe.flows.upgrade import grant
    from fairframe.library import contributors
    from fairframe.rights import consent

    commercial = upgrade()
    with studio.library.write() as tx:
        for name in studio.consumed():
            consent.set(tx, contributor=contributors.find(tx, name), effect="allow", purpose="commercial")
        consent.opt_out(tx, contributors.find(tx, studio.consumed()[0]), "no more")
    with studio.library.write() as tx:
        (one,) = grant(tx, commercial)
        assert one.envelope is None
        events = [e for row in registry.listing(tx) for e in registry.events(tx, row["id"])]
    assert "opted_out" in one.reasons[0]
    assert [(e["kind"], e["agreement"]) for e in events] == [("blocked", commercial)]
    with studio.library.write() as tx, pytest.raises(Refused, match="upgrades no other"):
        grant(
            tx, studio.loop.agreement if studio.loop.agreement != commercial else agreements.find(tx, commercial).family
        )
