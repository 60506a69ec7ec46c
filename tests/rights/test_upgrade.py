"""What an upgrade does to a checkpoint: one asset without consent blocks it, unless the terms say otherwise."""

import pytest

from fairframe.rights.clearance import CODES, Decision, Finding
from fairframe.rights.upgrade import BOUNDS, decide


def decision(*codes: str) -> Decision:
    found = tuple(Finding(code, CODES[code], code) for code in codes)
    return Decision(max((f.outcome for f in found), key=("ALLOW", "REVIEW", "DENY").index, default="ALLOW"), found)


GOOD = {f"ast_{n}": decision() for n in range(3)}


@pytest.mark.parametrize("effect", ["grant_if_all_consent", "grant_if_none_refuses"])
def test_a_checkpoint_whose_assets_all_clear_is_granted(effect: str) -> None:
    assert decide(effect, GOOD, GOOD).granted  # type: ignore[arg-type]
    assert decide(effect, [], {}).granted  # type: ignore[arg-type]


def test_terms_can_leave_checkpoints_where_they_are() -> None:
    found = decide("none", GOOD, GOOD)
    assert not found.granted and found.reasons() == [found.why]


@pytest.mark.parametrize("code", CODES)
def test_which_findings_block(code: str) -> None:
    decisions = {**GOOD, "ast_1": decision(code)}
    strict, lenient = (decide(e, GOOD, decisions) for e in ("grant_if_all_consent", "grant_if_none_refuses"))
    grave = code not in BOUNDS and CODES[code] != "ALLOW"
    assert strict.granted is not grave
    assert lenient.granted is not (grave and CODES[code] == "DENY" and code != "no_consent")
    assert strict.granted or strict.reasons() == [f"ast_1: {code}"]


def test_an_asset_nobody_decided_blocks() -> None:
    assert decide("grant_if_none_refuses", [*GOOD, "ast_9"], GOOD).reasons() == ["ast_9: unknown_asset"]


def test_a_finding_that_a_ruling_took_back_does_not_block() -> None:
    ruled = Decision("ALLOW", (Finding("people_unknown", "ALLOW", "allowed by ruling"),))
    assert decide("grant_if_all_consent", ["ast_0"], {"ast_0": ruled}).granted
