"""The library looks up what only it can: whose an item or a pseudonym of a delivery is."""

import pytest

from ..dataset.conftest import PEOPLE, Loop, films, loop  # noqa: F401  (fixtures)
from .conftest import Fairframe


@pytest.fixture
def database() -> str:
    """The commands open the workspaces by their folders, so on SQLite."""
    return "sqlite"


def test_show_finds_the_asset_of_an_item_and_of_a_pseudonym(loop: Loop, fairframe: Fairframe) -> None:  # noqa: F811
    loop.agree()
    loop.build()
    folder = loop.library.root
    items = loop.items_of(PEOPLE[1])
    shown = fairframe("--workspace", folder, "dataset", "show", "squares", "--json").data["clips"]
    (clip,) = [one for one in shown if one["id"] == items[0]]
    for name in (clip["id"], clip["asset"]):
        found = fairframe("--workspace", folder, "library", "show", name, "--json")
        assert (found.code, found.data["filename"]) == (0, "ben.mp4")
    who = fairframe("--workspace", folder, "library", "show", clip["contributor"])
    assert who.code == 1 and PEOPLE[1] in who.err and loop.contributor(PEOPLE[1])["public_id"] in who.err
    for name in ("psn_" + "0" * 26, "itm_" + "0" * 26):
        missing = fairframe("--workspace", folder, "library", "show", name)
        assert missing.code == 1 and ".missing" in missing.err
