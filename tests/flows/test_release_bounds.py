"""The bounds of a release: all of one agreement for each checkpoint."""

from dataclasses import replace

from fairframe.core.territory import Territory
from fairframe.flows.disclosures.subject import conditions_of
from fairframe.platform.workspace import Workspace
from fairframe.rights.vocabulary import ACTIONS
from fairframe.training.permission_rule import PURPOSES, USES, Asked, Right, Used, judge
from fairframe.training.permissions import Permissions

SOLD = Right("agr_a", "commercial", frozenset(ACTIONS), "active", True, "any", ends_ms=1_000)
FILMS_KEPT = replace(
    SOLD, agreement="agr_b", commercial_output=False, territory=Territory.parse("US"), ends_ms=9_000, remedy="withdraw"
)


def permissions_of(*used: Used) -> Permissions:
    answers = tuple(judge(Asked(use, purpose), used) for use in USES for purpose in PURPOSES)
    return Permissions("ckp_x", "m", used, (), answers)


def test_every_bound_is_of_the_agreement_that_the_weights_go_out_under(lab: Workspace) -> None:
    with lab.read() as tx:
        for rights in ((SOLD, FILMS_KEPT), (FILMS_KEPT, SOLD)):
            found, bounds = conditions_of(tx, permissions_of(Used("m", rights)))
            assert [one.agreement for one in bounds] == ["agr_a"]
            assert (str(found.territory), found.ends_ms) == ("world", 1_000)
            assert (found.commercial_output, found.delete_on_opt_out) == (True, False)
            # an ancestor that the other agreement alone covers leaves its country, and then its other bounds hold
            found, bounds = conditions_of(tx, permissions_of(Used("m", rights), Used("older", (FILMS_KEPT,))))
            assert [one.agreement for one in bounds] == ["agr_b", "agr_b"]
            assert (str(found.territory), found.ends_ms) == ("US", 9_000)
            assert (found.commercial_output, found.delete_on_opt_out) == (False, True)
