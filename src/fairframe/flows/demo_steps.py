"""The stages of the demo, one function each. `python -m fairframe.flows.demo_steps STEP DIR` runs one."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fairframe.core.errors import FairframeError, MissingExtra, Refused
from fairframe.core.item_line import Item
from fairframe.core.money import format_micro, format_money, parse_money
from fairframe.core.party import Party
from fairframe.core.plain import plain
from fairframe.core.time import now_ms, to_rfc3339
from fairframe.curation.curate import curate
from fairframe.curation.filters import Filters
from fairframe.dataset import deliveries, feeds, receive, releases
from fairframe.dataset.loader import find_delivery, items_of
from fairframe.dataset.obligations import open_obligations
from fairframe.flows import deletion, demo_footage, opt_out, upgrade, verify
from fairframe.flows.impact import impact
from fairframe.flows.ingest import ingest
from fairframe.generation import grants
from fairframe.library import contributors
from fairframe.platform import identity
from fairframe.platform.objects import write_atomic
from fairframe.platform.tx import Tx
from fairframe.platform.workspace import Workspace, create_workspace, open_workspace
from fairframe.rights import agreements, clearing, consent
from fairframe.rights import terms as contributor_terms
from fairframe.royalties import allocate, closing, revenue, statement_files, statement_html, statements, trial, usage
from fairframe.training.reporting import report as usage_report

TERMS = b"""name = "contributors"
version = 1
regime = "opt-out"
notice_date = 2026-01-05
notice_days = 30
effective_date = 2026-03-01
names = ["evaluate", "research"]
text = "Simulated for this demo: silence consents to evaluation and research licenses; anything else needs a yes."
"""
MODEL = "harbor-64"
DATASET = "research-set"
ADVERT_SCENE = (104, 40)
"""The rendered scene (seed, number) from whose first picture the commercial film goes on; the base never saw it."""


@dataclass(frozen=True)
class Place:
    """Where the demo keeps things."""

    root: Path

    @property
    def work(self) -> Path:
        return self.root / "exchange"

    @property
    def library(self) -> Path:
        return self.root / "library"

    @property
    def lab(self) -> Path:
        return self.root / "lab"

    def file(self, name: str) -> Path:
        """A document that passes between the parties."""
        return self.work / name

    def write(self, name: str, value: dict[str, Any]) -> None:
        write_atomic(self.work / f"{name}.notes.json", json.dumps(value, indent=1, default=str).encode())

    def read(self, name: str) -> dict[str, Any]:
        path = self.work / f"{name}.notes.json"
        return json.loads(path.read_text("utf-8")) if path.is_file() else {}

    @property
    def painted(self) -> bool:
        return not self.read("given")


def say(text: str) -> None:
    print(f"       {plain(text)}", flush=True)


def footage(place: Place) -> None:
    given = place.read("given")
    if given:
        say(f"given: {given['footage']}; its contributors' terms are simulated, nobody there has consented")
        return
    table = demo_footage.render(place.root / "footage")
    say(
        f"{len(demo_footage.SUBJECTS)} subjects of 6 invented contributors, and the hard cases, in {table.parent.name}/"
    )


def take_in(place: Place) -> None:
    for role, name in (("library", "Harbor Stock"), ("lab", "North Lab")):
        create_workspace(place.root / role, role, name).close()
    library, lab = open_workspace(place.library), open_workspace(place.lab)
    for one, other in ((library, lab), (lab, library)):
        with one.write() as tx:
            who, _ = identity.pin(tx, (other.root / "party.json").read_bytes())
        say(f"{one.name} pins {who.name}, fingerprint {who.fingerprint[:19]}...")
    given = place.read("given")
    folder = Path(given["footage"]) if given else place.root / "footage"
    if place.painted:
        trust = library.root / "trust"
        trust.mkdir()
        shutil.copy(folder / demo_footage.ANCHOR, trust)
    report = ingest(library, folder, metadata=Path(given["metadata"]) if given else folder / "metadata.csv")
    say(f"{report.accepted} assets taken in, {len(report.refused)} refused, {report.held} on hold")
    for one in report.refused:
        say(f"refused {one.filename}: {one.message}")
    place.write("ingest", {"accepted": report.accepted, "refused": [vars(r) for r in report.refused]})


def rights(place: Place) -> None:
    library, lab = open_workspace(place.library), open_workspace(place.lab)
    with library.write() as tx:
        row = contributor_terms.add(tx, TERMS)
        told = contributors.listing(tx)
        for who in told:
            contributor_terms.accept(tx, who, row, int(row["notice_ms"]), int(row["effective_ms"]))
    say(f"{len(told)} contributors were told of the terms ({row['regime']}; simulated)")
    offer = _agree(library, lab, place, "research", "10000.00", None)
    with library.read() as tx:
        deal = agreements.find(tx, offer)
    cleared = clearing.clear_agreement(library, deal)
    say(f"research license {format_money(deal.fee)}: " + ", ".join(f"{k} {v}" for k, v in cleared.counts.items()))
    say("why not: " + ", ".join(f"{code} {n}" for code, n in cleared.findings.items()))
    place.write("rights", {"research": offer, "counts": cleared.counts, "findings": cleared.findings})


def _agree(library: Workspace, lab: Workspace, place: Place, offer: str, fee: str, upgrade_of: str | None) -> str:
    with library.write() as tx:
        price = parse_money(fee, "USD")
        offered = agreements.offer(tx, offer, lab_party=lab.party_id, fee=price, upgrade_of=upgrade_of)
    write_atomic(place.file(f"agreement-{offer}.json"), offered)
    with lab.write() as tx:
        signed = agreements.countersign(tx, offered)
    write_atomic(place.file(f"agreement-{offer}-signed.json"), signed)
    with library.write() as tx:
        return agreements.accept(tx, signed).public_id


def look(place: Place) -> None:
    report = curate(open_workspace(place.library))
    say(f"{report.measured} assets measured, {report.shots} shots, {report.groups} groups of near-duplicates")
    for one in report.refused:
        say(f"not measured: {one.filename}: {one.message}")
    place.write("curate", {**asdict(report)})


def hand_over(place: Place) -> None:
    library, lab = open_workspace(place.library), open_workspace(place.lab)
    filters = Filters(min_frames=17, max_black_milli=500, max_frozen_milli=900, one_per_group=True)
    built = releases.build(library, place.read("rights")["research"], DATASET, filters)
    for line in built.funnel.lines():
        say(line)
    done = deliveries.deliver(library, DATASET, place.file("delivery"))
    say(f"signed delivery: {done.items} clips, {done.size_bytes / 1e6:.1f} MB, lease of 30 days")
    got = receive.receive(lab, place.file("delivery"))
    say(f"received and checked by {lab.name}: {got.items} clips")
    place.write("delivery", {"id": done.id, "release": built.id, "items": done.items, "funnel": built.funnel.to_json()})


def train(place: Place) -> None:
    from fairframe.training import session

    shown = -1

    def on_loss(stage: str, done: int, total: int, loss: float) -> None:
        nonlocal shown
        part = 4 * done // total
        if part != shown or done == total:
            shown = part
            say(f"{stage} {done}/{total} steps, loss {loss:.4f}")

    done = session.train(open_workspace(place.lab), DATASET, "tiny", MODEL, on_loss=on_loss)
    say(f"consumed {done.frames} delivered frames of {done.items} clips, and {done.house_frames} of the house")
    place.write("train", {"checkpoint": done.checkpoint, "frames": done.frames, "items": done.items})


def evaluate(place: Place) -> None:
    from fairframe.training.scoring import score

    found = score(open_workspace(place.lab), MODEL)
    for measure, value, against, other, verdict in found.rows():
        say(f"{measure}: {value} against {other} ({against}) {verdict}")
    place.write("evaluate", found.to_json())


def films(place: Place) -> None:
    from fairframe.generation.generate import generate

    lab = open_workspace(place.lab)
    held = _held_out(lab)
    made: list[dict[str, Any]] = []
    wanted = [(place.root / "film.mp4", held[0])]
    wanted += [(place.root / "films" / f"held-out-{n}.mp4", one) for n, one in enumerate(held[1:4], 2)]
    for out, item in wanted:
        name = str(out.relative_to(place.root))
        out.parent.mkdir(exist_ok=True)
        seconds = 2.0 if out.name == "film.mp4" else 1.5
        done = generate(
            lab, item.caption, model=MODEL, extend=lab.objects.path(item.bytes_hash), seconds=seconds, out=out, seed=1
        )
        say(f"{name}: {done.frames} frames on from a held-out clip, {item.caption!r}")
        made.append({"film": name, "mode": "extend", "item": item.id, "caption": item.caption})
    out = place.root / "films" / "from-text.mp4"
    generate(lab, held[0].caption, model=MODEL, seconds=1.5, out=out, seed=3)
    made.append({"film": str(out.relative_to(place.root)), "mode": "text", "item": "", "caption": held[0].caption})
    say(f"{out.relative_to(place.root)}: from text alone")
    _score_films(place, lab, made)
    try:
        generate(lab, held[0].caption, model=MODEL, seconds=1, purpose="commercial", out=place.root / "advert.mp4")
        raise AssertionError("a research model made a commercial film")
    except Refused as refused:
        say(f"a commercial film is refused: {refused.reasons[0] if refused.reasons else refused}")
        made.append({"film": "", "mode": "refused", "item": "", "caption": str(refused)})
    place.write("films", {"films": made})


def _held_out(lab: Workspace) -> list[Item]:
    """One held-out clip of each asset, then the others; first the subjects most like what was trained on, by their
    captions' words: a model of one evening can't go on with what it has never seen the like of."""
    with lab.read() as tx:
        items = items_of(tx, find_delivery(tx, DATASET))
    trained = [set(one.caption.split()) for one in items if one.split == "train"]

    def likeness(one: Item) -> float:
        words = set(one.caption.split())
        return max((len(words & other) / len(words | other) for other in trained if words), default=0.0)

    held = sorted((one for one in items if one.split == "heldout"), key=likeness, reverse=True)
    firsts = {one.asset: one for one in reversed(held)}
    return [one for one in held if firsts[one.asset] is one] + [one for one in held if firsts[one.asset] is not one]


def _score_films(place: Place, lab: Workspace, made: list[dict[str, Any]]) -> None:
    """Measure the films beside real clips; each one's score goes into its note."""
    from fairframe.generation.film_score import score_films

    for note, found in zip(made, score_films(lab, MODEL, [place.root / one["film"] for one in made]), strict=True):
        note["score"] = found.to_json()
        every = found.all_measures()
        outside = f"; outside: {', '.join(found.outside)}" if found.outside else ""
        say(f"{note['film']}: {len(every) - len(found.outside)} of {len(every)} measures as real clips have{outside}")


def money(place: Place) -> None:
    library, lab = open_workspace(place.library), open_workspace(place.lab)
    with lab.write() as tx:
        envelope = usage_report(tx, MODEL)
    write_atomic(place.file("usage-report.json"), envelope)
    agreement = place.read("rights")["research"]
    with library.write() as tx:
        taken = usage.accept(tx, envelope)
        booked = revenue.book(tx, agreement, parse_money("10000.00", "USD"), "INV-2026-001")
    say(f"usage report taken: {taken.report.delivered_frames} frames of {len(taken.report.items)} clips")
    allocate.allocate(library)
    pool = format_micro(booked.pool_micro, booked.net.currency)
    say(f"{format_money(booked.net)} net, of which {pool} to contributors")
    _statements(place, library)


def _statements(place: Place, library: Workspace) -> None:
    folder = place.root / "statements"
    earned: dict[str, int] = {}
    no_paper = ""
    with library.write() as tx:
        closed = closing.close(tx, tx.now_ms + 1)
    closing.papers(library, closed).write(place.root / "books" / f"{closed.id}.json")
    say(f"the books are closed up to {to_rfc3339(closed.to_ms)}, and their trial balance is signed")
    with library.write() as tx:
        for who in contributors.listing(tx):
            for currency in statements.currencies(tx, who):
                found = statements.statement(tx, who, currency=currency)
                earned[str(who["name"])] = int(found.body["earned_micro"])
                stem = "".join(c if c.isalnum() else "-" for c in str(who["name"]).lower())
                try:
                    for name, data in statement_files.files(found, statement_html.load_posters(tx, found)):
                        write_atomic(folder / (stem + name.removeprefix(found.id)), data)
                except MissingExtra as error:
                    no_paper = f"; no PDF of them: {error}"
        balanced = trial.trial(tx)
    say(f"{len(earned)} statements; the ledger sums to zero: {balanced.ok}{no_paper}")
    place.write("money", {"earned_micro": earned})


def upgrade_license(place: Place) -> None:
    library, lab = open_workspace(place.library), open_workspace(place.lab)
    with library.write() as tx:
        people = list(contributors.listing(tx))
        waits = people[1 % len(people)]
        for who in people:
            if who["id"] != waits["id"]:
                consent.set(tx, contributor=who, effect="allow", purpose="commercial", reason="simulated")
    research = place.read("rights")["research"]
    commercial = _agree(library, lab, place, "commercial", "40000.00", research)
    with library.write() as tx:
        first = upgrade.grant(tx, commercial)
    for one in first:
        say(f"commercial upgrade of {one.checkpoint}: " + ("granted" if one.envelope else f"blocked: {one.reasons[0]}"))
    with library.write() as tx:
        consent.set(tx, contributor=waits, effect="allow", purpose="commercial", reason="simulated, asked again")
        second = upgrade.grant(tx, commercial)
    for one in second:
        if one.envelope is None:
            raise Refused("the upgrade stays blocked", reasons=list(one.reasons), code="demo.upgrade")
        write_atomic(place.file("grant.json"), one.envelope)
        with lab.write() as tx:
            grants.take(tx, one.envelope)
        say(f"the last contributor says yes: {one.checkpoint} is granted")
    with library.write() as tx:
        revenue.book(tx, commercial, parse_money("40000.00", "USD"), "INV-2026-002")
    _advert(place, lab)
    releases.build(library, commercial, "commercial-set", Filters(min_frames=17, one_per_group=True))
    deliveries.deliver(library, "commercial-set", place.file("delivery-commercial"))
    receive.receive(lab, place.file("delivery-commercial"))
    allocate.allocate(library)
    _statements(place, library)
    place.write("upgrade", {"commercial": commercial, "blocked": [list(o.reasons) for o in first]})


def _advert(place: Place, lab: Workspace) -> None:
    """A commercial film from a picture that the package itself renders: no delivered clip may be its picture."""
    import cv2

    from fairframe.generation.generate import generate
    from fairframe.training.scenes import house_clip

    scene = house_clip(*ADVERT_SCENE)
    picture, out = place.file("advert.png"), place.root / "films" / "advert.mp4"
    cv2.imwrite(str(picture), scene.frames[0][..., ::-1])
    generate(lab, scene.caption, model=MODEL, image=picture, seconds=1.5, purpose="commercial", out=out, seed=5)
    say(f"a commercial film is made under the grant, from a rendered picture: films/advert.mp4, {scene.caption!r}")


def leave(place: Place) -> None:
    library, lab = open_workspace(place.library), open_workspace(place.lab)
    agreement = place.read("upgrade")["commercial"]
    with library.read() as tx:
        known = contributors.listing(tx)
        who = (
            max(known, key=lambda c: impact(tx, c).items)
            if not place.painted
            else contributors.find(tx, demo_footage.DIEGO)
        )
        before = impact(tx, who)
    say(f"{who['name']} asks what an opt-out would do: {before.items} delivered clips taken back")
    with library.write() as tx:
        done = opt_out.opt_out(tx, contributors.find(tx, str(who["public_id"])), "simulated")
        feed = feeds.issue(tx, agreement)
    feed.write(place.file("feed.json"))
    say(f"opted out: {done.items} items are in the signed feed")
    with lab.write() as tx:
        feeds.refresh(tx, feed)
        due = deliveries_due(tx)
    for number, name in enumerate(sorted(due), 1):
        with lab.write() as tx:
            attestation = deletion.attest(tx, find_delivery(tx, name))
        attestation.write(place.file(f"attestation-{number}.json"))
        with library.write() as tx:
            deletion.accept(tx, attestation)
    say(f"{lab.name} deleted the clips and attests it; earned payment stays earned")
    with library.read() as tx:
        after = impact(tx, who)
    place.write("opt_out", {"who": who["name"], "before": before.to_json(), "after": after.to_json()})


def deliveries_due(tx: Tx) -> list[str]:
    """Received deliveries of which clips are to be deleted."""
    from fairframe.dataset.tables import delivery

    received = [str(row["public_id"]) for row in tx.rows(delivery.select().where(delivery.c.direction == "in"))]
    return [one for one in received if open_obligations(tx, one, "in")]


def prove(place: Place) -> None:
    from fairframe.verify.kind import Report
    from fairframe.verify.registry import verify as verify_target

    parties = [Party.from_envelope((place.root / role / "party.json").read_bytes()) for role in ("library", "lab")]
    trust, library = verify.trust_of(None, parties), open_workspace(place.library)
    targets = [
        place.root / "film.mp4",
        place.lab / "models" / MODEL,
        place.file("delivery"),
        place.file("agreement-research-signed.json"),
        place.file("usage-report.json"),
        *sorted((place.root / "statements").glob("*.json")),
        *sorted((place.root / "books").glob("*.json")),
    ]
    reports: dict[str, Report] = {}
    for path in targets:
        report = verify_target(path, trust, now_ms())
        reports[str(path.relative_to(place.root))] = verify.with_credentials(report, path, library)
    exchanged = {
        "library": ["feed.json", "agreement-research.json"],
        "lab": ["usage-report.json", "attestation-1.json"],
    }
    for role, names in exchanged.items():
        held = [place.file(name).read_bytes() for name in names if place.file(name).is_file()]
        reports[f"audit of the {role}"] = verify.verify_audit(open_workspace(place.root / role), held)
    for name, report in reports.items():
        failed = [f.text for f in report.findings if f.ok is False]
        say(f"{'holds' if report.holds else 'FAILS'}  {name}" + (f": {failed[0]}" if failed else ""))
    broken = [name for name, report in reports.items() if not report.holds]
    place.write("prove", {n: {"holds": r.holds, "checks": len(r.findings)} for n, r in reports.items()})
    if broken:
        raise Refused(f"{len(broken)} targets do not verify", reasons=broken, code="demo.verify")


def write_report(place: Place) -> None:
    from fairframe.flows.report import demo_report

    page = demo_report(place.root)
    write_atomic(place.root / "report.html", page.encode())


@dataclass(frozen=True)
class Step:
    name: str
    title: str
    run: Callable[[Place], None]


STEPS = (
    Step("footage", "Footage", footage),
    Step("ingest", "Library: take in, probe, hash, posters", take_in),
    Step("rights", "Rights: terms, a research license, clearance", rights),
    Step("curate", "Curation: shots, measures, near-duplicates", look),
    Step("deliver", "Dataset: a signed delivery", hand_over),
    Step("train", "Training under the lease", train),
    Step("evaluate", "Evaluation on held-out clips", evaluate),
    Step("films", "Films, and one that is refused", films),
    Step("money", "Usage report, royalties, statements", money),
    Step("upgrade", "The commercial upgrade", upgrade_license),
    Step("opt-out", "A contributor opts out", leave),
    Step("prove", "Everything is verified offline", prove),
)


def main(arguments: list[str]) -> int:
    steps = {step.name: step.run for step in STEPS} | {"report": write_report}
    name, folder = arguments
    try:
        steps[name](Place(Path(folder)))
    except FairframeError as error:
        print(plain(f"error[{error.code}]: {error}"), file=sys.stderr)
        for reason in getattr(error, "reasons", []):
            print(plain(f"  - {reason}"), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
