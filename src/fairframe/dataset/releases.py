"""Building a dataset release: clear, select, cut, publish. Immutable once published.

Clearance decides over one snapshot; cutting takes its time; publication then re-checks in one transaction every
asset that any event since the snapshot touched, and drops what is no longer allowed.
"""

from collections import Counter

from fairframe.core.bundle import Head
from fairframe.core.delivery_body import NAME
from fairframe.core.errors import InputError
from fairframe.curation import selection
from fairframe.curation.filters import Filters
from fairframe.dataset import caps, cutting
from fairframe.dataset.compose import assets_of
from fairframe.dataset.funnel import Gate
from fairframe.dataset.publication import Built, Plan, publish, ready
from fairframe.platform import runs
from fairframe.platform.runs import Progress, silent
from fairframe.platform.workspace import Workspace
from fairframe.rights import clearing
from fairframe.rights.clearing import Cleared

KIND = "dataset.build"


def build(
    ws: Workspace, agreement_id: str, name: str, filters: Filters | None = None, show: Progress = silent
) -> Built:
    """Build the release `name` under an agreement.

    Raises InputError (input.bad_name), Conflict (release.exists), NotFound, Refused (agreement.inactive; and
    release.empty, whose reasons are the funnel, where nothing is left).
    """
    filters = filters or Filters()
    if not NAME.fullmatch(name):
        raise InputError(
            f"{name[:80]!r} cannot name a dataset",
            code="input.bad_name",
            remedy="Use a-z, 0-9, '.', '_' and '-'; begin with a letter or digit; at most 80 characters.",
        )
    arguments = {"agreement": agreement_id, "name": name, "filters": filters.model_dump(mode="json")}
    with runs.running(ws, KIND, arguments, show) as run:
        with ws.read() as tx:
            agreement = ready(tx, agreement_id, name)
        cleared = clearing.clear_agreement(ws, agreement)
        allowed, gate = _sort(cleared)
        with ws.read() as tx:
            selected = selection.select(tx, allowed, filters, cap=caps.left(tx, agreement))
            assets = assets_of(tx, {shot.asset_id for shot in selected.kept})
        cuts = cutting.cut_all(ws, run, selected.kept, assets)
        with ws.write() as tx:
            snapshot = Head(cleared.audit_size, cleared.audit_root)
            built = publish(tx, Plan(agreement, name, filters, snapshot, gate, allowed, selected, assets, cuts))
        run.result.update(release=built.id, funnel=built.funnel.to_json())
    return built


def _sort(cleared: Cleared) -> tuple[dict[int, tuple[str, ...]], Gate]:
    """The allowed assets with their finding codes, and the gate with the gravest finding of each of the others."""
    allowed: dict[int, tuple[str, ...]] = {}
    refused: Counter[str] = Counter()
    for batch in cleared.batches(["asset_id", "outcome", "findings"]):
        part = batch.to_pydict()
        for asset, outcome, codes in zip(part["asset_id"], part["outcome"], part["findings"], strict=True):
            if outcome == "ALLOW":
                allowed[asset] = tuple(codes)
            else:
                refused[codes[0]] += 1
    return allowed, Gate("clearance", "assets", len(allowed) + refused.total(), len(allowed), refused)
