"""The audit of a library that has worked holds; one whose tables were rewritten does not."""

import pytest
import sqlalchemy as sa

from fairframe.flows import opt_out
from fairframe.flows.verify import verify_audit
from fairframe.library import contributors
from fairframe.rights import consent

from ..dataset.conftest import PEOPLE, Loop, at_lab, films, loop  # noqa: F401  (fixtures)


@pytest.mark.usefixtures("at_lab")
@pytest.mark.parametrize(
    "statement",
    [
        "delete from consent_event",
        "update feed_entry set item = 'itm_other'",
        "update item set line = '{}' where idx = 0",
        "update document set envelope = '' where direction = 'out'",
    ],
)
def test_rewritten_tables_do_not_hold(loop: Loop, statement: str) -> None:  # noqa: F811
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, PEOPLE[0]), "")
    for ws in (loop.library, loop.lab):
        assert [one for one in verify_audit(ws, []).findings if one.ok is False] == []
    with loop.library.engine.begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(sa.text("set session_replication_role = replica"))
        else:
            for (name,) in conn.execute(sa.text("select name from sqlite_master where type = 'trigger'")).all():
                conn.execute(sa.text(f"drop trigger {name}"))
        conn.exec_driver_sql(statement)
    report = verify_audit(loop.library, [])
    assert not report.holds
    assert {one.code for one in report.findings if one.ok is False} == {"audit.rows"}


def test_an_opt_out_by_a_clock_that_went_back_counts(loop: Loop) -> None:  # noqa: F811
    ws, clock = loop.library, loop.library.clock
    with ws.write() as tx:
        person = contributors.find(tx, PEOPLE[0])
        consent.set(tx, contributor=person, effect="allow", purpose="*")
    clock.advance(-840_000)  # type: ignore[attr-defined]
    with ws.write() as tx:
        opt_out.opt_out(tx, person, "")
    with ws.read() as tx:
        assert consent.opted_out(tx, person["id"], tx.now_ms)
