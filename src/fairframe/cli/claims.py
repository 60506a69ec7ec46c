"""rights claim and rights claims: a contributor says that a film copies their clip."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fairframe.cli.shell import AsJson, emit, group, note, say, table, when, workspace, write_output
from fairframe.flows.claim_page import at, claim_page
from fairframe.library import assets, contributors
from fairframe.platform.tx import Row
from fairframe.platform.workspace import Workspace
from fairframe.rights import claims

app = group("Claims that a film copies a clip.")
claims_app = group("Claims that a film copies a clip: cases that wait for a person.")
app.add_typer(claims_app, name="claims")

Claim = Annotated[str, typer.Argument(metavar="CLAIM", help="Its id; see: fairframe rights claims list.")]
Page = Annotated[Path | None, typer.Option("--html", help="Write the frames side by side as one page.")]


@app.command()
def claim(
    ctx: typer.Context,
    film: Annotated[Path, typer.Argument(metavar="FILM", help="The film; it is opened in a limited child process.")],
    contributor: Annotated[str, typer.Option(help="Who claims it (name or id).")],
    asset: Annotated[str | None, typer.Option(help="Their clip (id or filename), looked at frame by frame.")] = None,
    words: Annotated[str, typer.Option(help="In their own words; stays in the library.")] = "",
    html: Page = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look; lodge nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Lay a film beside the library and lodge the claim as a case.

    Shown are the nearest clips, of the contributor and of all others, with frame times on both sides and how far apart
    random frames are. Near frames are candidates, never a verdict.
    """
    # it needs numpy, which comes with an extra
    from fairframe.flows import claim as claiming

    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            who = contributors.find(tx, contributor)
            of = None if asset is None else assets.find(tx, asset)
        looked = claiming.look(ws, film, who, of)
        found = looked.to_json()
        lodged = None if dry_run else claiming.claim(ws, looked, who, of, words=words)
        if html is not None and lodged is not None:
            _write_page(ws, lodged, html)
    emit({"claim": lodged, **found}, as_json, lambda: _found(found))
    if lodged is not None and not as_json:
        say(f"{lodged}: waits in the review queue")
    if html is not None and lodged is None:
        note("no page is written of what was only looked at")


@claims_app.command("list")
def list_claims(
    ctx: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Settled ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """The claims that wait for a person."""
    with workspace(ctx, "library") as ws, ws.read() as tx:
        data = [case_json(row) for row in claims.listing(tx, settled=every)]
    emit(data, as_json, lambda: render_cases(data))


@claims_app.command()
def show(ctx: typer.Context, claim: Claim, html: Page = None, as_json: AsJson = False) -> None:
    """What was found when a claim was lodged."""
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            row = claims.find(tx, claim)
        if html is not None:
            _write_page(ws, claim, html)

    def render() -> None:
        render_cases([case_json(row)])
        _found(row["found"])
        if row["state"] != "open":
            say(f"{row['state']}: {row['outcome_reason']} ({row['document']})")

    emit({**case_json(row), "found": row["found"]}, as_json, render)


@claims_app.command()
def settle(
    ctx: typer.Context,
    claim: Claim,
    reason: Annotated[str, typer.Option(help="Why; it is signed, so name nobody.")],
    uphold: Annotated[bool, typer.Option("--uphold", help="In your judgment the film copies the clip.")] = False,
    dismiss: Annotated[bool, typer.Option("--dismiss", help="In your judgment it does not.")] = False,
    by: Annotated[str, typer.Option(help="Who decided; kept as a salted commitment that can be erased.")] = "",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the signed outcome here too.")] = None,
) -> None:
    """Decide a claim; a signed document with the reason.

    It holds nothing and ends nothing by itself; to block an asset: fairframe rights hold place.
    """
    if uphold == dismiss:
        raise typer.BadParameter("say --uphold or --dismiss")
    outcome: claims.Outcome = "upheld" if uphold else "dismissed"
    with workspace(ctx, "library") as ws, ws.write() as tx:
        envelope = claims.settle(tx, claim, outcome, reason=reason, by=by)
    if output is not None:
        write_output(output, envelope)
    say(f"{claim} is {outcome}")


def case_json(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("id", "found")}


def render_cases(cases: list[dict[str, Any]]) -> None:
    table(
        ["claim", "film", "contributor", "clip", "since", "state", "they say"],
        [
            (
                one["public_id"],
                one["film_name"],
                one["contributor_name"],
                one["filename"],
                when(one["recorded_at_ms"]),
                one["state"],
                one["words"],
            )
            for one in cases
        ],
        empty="no claims",
    )


def _found(found: dict[str, Any]) -> None:
    chance = found["chance"]
    table(
        ["clip", "whose", "#bits of 256", "film at", "clip at", "compared", "#frames alike"],
        [
            (
                one["filename"],
                "named" if one["named"] else "theirs" if one["theirs"] else "another's",
                one["distance"],
                at(one["pairs"][0]["film_ms"]),
                at(one["pairs"][0]["clip_ms"]),
                one["pairs"][0]["view"],
                f"{one['alike']} of {found['film_frames']}",
            )
            for one in found["near"]
        ],
        empty="the library holds no clip that was measured: fairframe curate",
    )
    if chance["pairs"]:
        apart = (
            f"{chance['middle']} bits apart in the middle, {chance['least']} at the least of {chance['pairs']} pairs"
        )
        say(f"random frames of this library: {apart}")
    else:
        note("too few clips were measured to say how far apart random frames are: fairframe curate")
    if not found["exhaustive"]:
        note("not every hash was compared: only those that share a band with a frame of the film")
    _origin(found)
    for line in found["limits"]:
        note(line)


def _origin(found: dict[str, Any]) -> None:
    origin, seen = found["origin"], found["seen"]
    if origin is None:
        say("the film carries no lineage that can be believed here")
        return
    model = f"{origin['name']} ({origin['checkpoint']})"
    say(f"by its {origin['source']} it was made by {model} under {origin['agreement']}")
    if seen is None or not seen["known"]:
        say("nothing here tells what that model consumed")
        return
    named = "" if seen["of_asset"] is None else f", {seen['of_asset']} of the named clip"
    say(
        f"that model consumed {seen['theirs']} frames of their clips{named}, of {seen['total']} in all"
        f" ({seen['source']}, {seen['method']})"
    )


def _write_page(ws: Workspace, claim: str, path: Path) -> None:
    with ws.read() as tx:
        page = claim_page(ws, claims.find(tx, claim), tx.now_ms)
    write_output(path, page.encode())
