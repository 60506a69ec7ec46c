"""A library that turns its clock back to before the end of an agreement hands nothing out under it."""

from typing import Any

import pytest

from fairframe.core.errors import Refused
from fairframe.core.time import DAY_MS
from fairframe.dataset import feeds, leases
from fairframe.library import contributors
from fairframe.rights import agreements, consent

from .conftest import PEOPLE, Loop


@pytest.mark.usefixtures("built")
def test_an_agreement_that_ended_stays_ended(loop: Loop, clock: Any) -> None:
    loop.deliver()
    loop.build("later")
    clock.advance(366 * DAY_MS)
    with loop.library.write() as tx:  # whatever is recorded after the end shows that it has come
        consent.set(tx, contributor=contributors.find(tx, PEOPLE[0]), effect="allow", purpose="evaluate")
    clock.advance(-366 * DAY_MS)
    with loop.library.read() as tx:
        assert agreements.active_in_family(tx, loop.agreement) is None
    for act in (lambda: loop.build("more"), lambda: loop.deliver("later", "elsewhere")):
        with pytest.raises(Refused) as caught:
            act()
        assert caught.value.code == "agreement.inactive"
    assert not (loop.tmp / "elsewhere").exists()
    with loop.library.write() as tx:
        before = leases.newest(tx, loop.delivered.id)  # type: ignore[union-attr]
        feeds.issue(tx, loop.agreement)
        assert leases.newest(tx, loop.delivered.id) == before, "a feed renews no lease"  # type: ignore[union-attr]
