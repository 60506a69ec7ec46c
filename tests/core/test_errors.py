import re

from fairframe.core import errors


def test_the_drawn_tree_is_the_tree() -> None:
    drawn = dict(re.findall(r"[├└]── (\w+) +(\S+)", errors.__doc__ or ""))
    real = {
        name: thing.code
        for name, thing in vars(errors).items()
        if isinstance(thing, type) and issubclass(thing, Exception) and name != "FairframeError"
    }
    assert drawn == real


def test_an_error_is_one_line_with_place_and_remedy() -> None:
    error = errors.InputError("The row has no\nname", where="clips.csv:3", remedy="Add one")
    assert str(error) == "The row has no name (clips.csv:3). Add one."
    assert error.code == "input"
    assert errors.InputError("x", code="input.bad_csv").code == "input.bad_csv"
    assert errors.InputError("x").code == "input"


def test_a_refusal_keeps_its_reasons() -> None:
    refused = errors.Refused("Not cleared", reasons=["hold", "editorial"])
    assert refused.reasons == ["hold", "editorial"]
    assert refused.code == "refused"
