"""The bounds of a release: all of one agreement for each checkpoint, and the license of every ancestor."""

from dataclasses import replace

from fairframe.core.territory import Territory
from fairframe.flows.disclosures.conditions import choices
from fairframe.flows.disclosures.subject import conditions_of
from fairframe.platform.workspace import Workspace
from fairframe.rights.vocabulary import ACTIONS
from fairframe.training import externals
from fairframe.training.externals import External
from fairframe.training.permission_rule import PURPOSES, USES, Asked, Elsewhere, Right, Used, judge
from fairframe.training.permissions import Permissions

SOLD = Right("agr_a", "commercial", frozenset(ACTIONS), "active", True, "any", ends_ms=1_000)
FILMS_KEPT = replace(
    SOLD, agreement="agr_b", commercial_output=False, territory=Territory.parse("US"), ends_ms=9_000, remedy="withdraw"
)


def permissions_of(*used: Used, elsewhere: tuple[Elsewhere, ...] = ()) -> Permissions:
    answers = tuple(judge(Asked(use, purpose), used, elsewhere) for use in USES for purpose in PURPOSES)
    return Permissions("ckp_x", "m", used, elsewhere, answers)


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


def test_two_ancestors_of_one_name_pass_on_two_licenses(lab: Workspace) -> None:
    said = (
        External("enc", "a" * 64, "GPL-3.0", "https://gpl.example/", "Kim Lee", "yes", "yes"),
        External("enc", "b" * 64, "Apache-2.0", "https://apache.example/", "Kim Lee", "yes", "yes"),
    )
    with lab.write() as tx:
        for one in said:
            externals.add(tx, one)
        elsewhere = tuple(
            Elsewhere("external", one.name, one.license, externals.DATA, "encoder", "yes", "yes", one.hash)
            for one in said
        )
        for order in (elsewhere, elsewhere[::-1]):
            found, _ = conditions_of(tx, permissions_of(Used("m", (), consumed=False), elsewhere=order))
            assert {(one.license, one.address) for one in found.passed} == {
                (one.license, one.license_url) for one in said
            }
            assert [one.license.id for one in choices(found) if one.can] == ["fairframe-weights-draft"]
