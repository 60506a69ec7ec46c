"""A delivery at the lab's door: everything is checked before anything is taken in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fairframe.core import dsse
from fairframe.core.bundle import Bundle
from fairframe.core.canonical import sha256_hex
from fairframe.core.delivery_body import DeliveryBody
from fairframe.core.errors import BadDocument, MediaError, VerificationError
from fairframe.core.item_line import Item
from fairframe.dataset import layout
from fairframe.dataset.inspection import Inspected, inspect
from fairframe.dataset.papers import Papers
from fairframe.media import sandboxed
from fairframe.media.workers import make_worker
from fairframe.platform import bundles
from fairframe.platform.runs import Run
from fairframe.platform.tx import Tx
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements


@dataclass(frozen=True)
class Arrived:
    """A delivery that verified: its envelope, what it says, the papers that came along, what the directory holds."""

    envelope: bytes
    bundle: Bundle
    body: DeliveryBody
    lease: bytes
    feed: Papers
    found: Inspected


def check(ws: Workspace, run: Run, folder: Path) -> Arrived:
    """Verify a delivery directory; nothing is stored. Raises what receive.receive raises."""
    envelope = layout.read_small(folder, layout.DELIVERY)
    with ws.read() as tx:
        bundle = bundles.check(tx, envelope, "delivery")
        body = DeliveryBody.from_json(bundle.body)
        _check_bundle(tx, bundle, body, layout.read_small(folder, layout.AGREEMENT))
    found = inspect(folder, body, run.progress)
    found.refuse(folder)
    _check_playable(ws, run, folder, found.items)
    lease, feed = (layout.read_small(folder, name) for name in (layout.LEASE, layout.FEED))
    return Arrived(envelope, bundle, body, lease, Papers(feed, folder / layout.FEED_ITEMS), found)


def _check_bundle(tx: Tx, bundle: Bundle, body: DeliveryBody, document: bytes) -> None:
    """The delivery is for us, under the agreement that the library and we have both signed."""
    if bundle.recipient != tx.ws.party_id:
        raise VerificationError("the delivery is addressed to another party", code="bundle.recipient", where=bundle.id)
    if bundle.id != body.delivery or bundle.agreement is None:
        raise BadDocument("The delivery names another id or no agreement", code="document.field", where=bundle.id)
    agreement = agreements.find(tx, bundle.agreement.id)
    agreements.check_signed(tx, document)
    good = (
        sha256_hex(document) == body.agreement_digest
        and dsse.read_envelope(document).payload == dsse.read_envelope(agreement.offered).payload
        and agreement.ref == bundle.agreement
        and (agreement.library, agreement.family) == (bundle.sender, body.family)
    )
    if not good:
        raise VerificationError(
            f"{layout.AGREEMENT} is not the agreement that both sides signed",
            code="delivery.agreement",
            where=bundle.id,
            remedy="Ask the library for a delivery under your agreement.",
        )


def _check_playable(ws: Workspace, run: Run, folder: Path, items: Sequence[Item]) -> None:
    """Open every clip once in the sandbox: what training decodes later is neither broken nor more than it says."""
    seen: set[str] = set()
    with make_worker(ws.settings) as worker:
        for place, one in enumerate(items):
            run.progress(place, len(items), "opening clips")
            if one.bytes_hash in seen:
                continue
            seen.add(one.bytes_hash)
            try:
                found = sandboxed.probe(worker, folder / one.path)
            except MediaError as error:
                raise VerificationError(
                    f"{one.path} cannot be played: {error.message}", code="delivery.unplayable", where=str(folder)
                ) from error
            if found.frames != one.frames:
                raise VerificationError(
                    f"{one.path} does not have {one.frames} frames", code="delivery.unplayable", where=str(folder)
                )
