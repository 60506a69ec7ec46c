"""The ten stations of the loop with what was counted at each."""

from collections.abc import Sequence

from fairframe.dataset.funnel import Gate
from fairframe.flows.report_demo import Story
from fairframe.flows.report_lab import Lab
from fairframe.flows.report_library import Library
from fairframe.flows.report_loop import Station
from fairframe.flows.report_money import Money, OptOut
from fairframe.flows.report_words import count, minor, of

NOT_YET = "not yet"


def stations(
    library: Library | None, lab: Lab | None, money: Money | None, opt_outs: Sequence[OptOut], story: Story
) -> tuple[Station, ...]:
    """Counts where there is something to count, "not yet" elsewhere. Pure."""
    return (*_library(library), *_lab(lab, story), *_back(library, money, opt_outs))


def _library(library: Library | None) -> list[Station]:
    if library is None or not library.counts.assets:
        return [_none(name) for name in ("Footage", "Library", "Rights", "Curation", "Dataset")]
    counts = library.counts
    gates = {gate.name: gate for gate in (library.releases[0].gates if library.releases else ())}
    cleared = next(iter(library.clearances), None)
    rights = _gate("Rights", gates.get("clearance"), "of {} files cleared")
    if rights is None and cleared is not None:
        rights = Station("Rights", count(cleared.counts.get("ALLOW", 0)), f"of {cleared.total} files cleared")
    shots = Station("Curation", count(counts.shots), "shots found") if counts.shots else None
    sent = [one for one in library.releases if one.listed.state != "built"]
    return [
        Station("Footage", count(counts.assets + counts.refused), f"files, {counts.refused} refused"),
        Station("Library", count(counts.assets), f"from {of(counts.contributors, 'contributor')}"),
        rights or _none("Rights"),
        _gate("Curation", gates.get("selection"), "of {} shots chosen") or shots or _none("Curation"),
        Station("Dataset", count(sent[0].listed.items), "clips delivered") if sent else _none("Dataset"),
    ]


def _gate(name: str, gate: Gate | None, words: str) -> Station | None:
    return None if gate is None else Station(name, count(gate.left), words.format(gate.entered))


def _lab(lab: Lab | None, story: Story) -> list[Station]:
    models, films = (lab.models, lab.films) if lab is not None else ((), ())
    frames = sum(model.frames for model in models)
    held = sum(proof.holds for proof in story.proofs)
    return [
        Station("Training", count(frames), "licensed frames seen", "lab") if models else _none("Training", "lab"),
        Station("Generation", count(len(films)), "films made", "lab") if films else _none("Generation", "lab"),
        Station("Provenance", count(held), f"of {len(story.proofs)} targets verified", "lab")
        if story.proofs
        else _none("Provenance", "lab"),
    ]


def _back(library: Library | None, money: Money | None, opt_outs: Sequence[OptOut]) -> list[Station]:
    found = [_none("Royalties"), _none("Contributors")]
    if money is not None and money.earners:
        code = money.earners[0].currency
        micro = sum(event.stays_micro for event in money.events if event.currency == code)
        whole = minor(micro // 1_000_000, code).split()[0].partition(".")[0]
        found[0] = Station("Royalties", whole, f"{code} to contributors")
        paid = len({one.name for one in money.earners})
        found[1] = Station("Contributors", count(paid), "earned" + _out(opt_outs))
    elif library is not None and library.counts.contributors:
        found[1] = Station("Contributors", count(library.counts.contributors), "in the library" + _out(opt_outs))
    return found


def _out(opt_outs: Sequence[OptOut]) -> str:
    return f", {len(opt_outs)} opted out" if opt_outs else ""


def _none(name: str, side: str = "own") -> Station:
    return Station(name, NOT_YET, "", side)
