"""Content credentials as the C2PA library reports them, without network, judged against our own trust anchors."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fairframe.core.errors import MissingExtra

State = Literal["trusted", "untrusted", "tampered", "unreadable", "unsupported", "absent"]
MAX_MANIFEST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Report:
    """A file's manifest store: `manifests` by label (none unless the state is of one that could be read)."""

    state: State
    reason: str
    active: str
    manifests: Mapping[str, Any]
    raw: bytes


def read(path: Path, anchors_pem: bytes = b"", *, sidecar: bytes | None = None) -> Report:
    """Read and validate the credentials of a file, or of `sidecar` (a manifest store) against the file.

    A signature that holds is "untrusted" until its chain leads to one of `anchors_pem`. Never raises for what the
    file holds: that is the state. Raises MissingExtra without c2pa-python.
    """
    c2pa = import_c2pa()
    try:
        context = c2pa.Context.from_dict(settings(anchors_pem))
        with path.open("rb") as stream, c2pa.Reader(_mime(path), stream, sidecar, context=context) as reader:
            return _report(reader.json(), reader.get_validation_state())
    except c2pa.C2paError.ManifestNotFound:
        return Report("absent", "no credentials", "", {}, b"")
    except c2pa.C2paError.NotSupported as error:
        return Report("unsupported", f"credentials cannot stand in this container: {error}"[:300], "", {}, b"")
    except Exception as error:  # whatever the parser trips over is a file whose credentials cannot be read
        return Report("unreadable", f"{type(error).__name__}: {error}"[:300], "", {}, b"")


def import_c2pa() -> Any:
    """c2pa-python, or MissingExtra naming the command that installs it."""
    try:
        import c2pa
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "content credentials need c2pa-python",
            remedy="Run: pip install 'fairframe[media]'",
            code="missing_extra.media",
        ) from error
    return c2pa


def settings(anchors_pem: bytes) -> dict[str, Any]:
    """Validate in full, trust only the given anchors, fetch nothing."""
    verify = {
        "verify_after_reading": True,
        "verify_trust": True,
        "remote_manifest_fetch": False,
        "ocsp_fetch": False,
    }
    trust = {"trust_anchors": anchors_pem.decode("ascii")} if anchors_pem else {}
    return {"verify": verify, "trust": trust}


def _mime(path: Path) -> str | None:
    """A hint: the library looks at the bytes as well."""
    return {".mp4": "video/mp4", ".mov": "video/quicktime", ".avi": "video/avi", ".jpg": "image/jpeg"}.get(
        path.suffix.lower()
    )


def _report(text: str, state: str | None) -> Report:
    raw = text.encode()
    if len(raw) > MAX_MANIFEST_BYTES:
        return Report("unreadable", "the manifest store is too large", "", {}, b"")
    store = json.loads(text)
    manifests = store.get("manifests") or {}
    active = str(store.get("active_manifest") or "")
    if active not in manifests:
        return Report("unreadable", "no active manifest", "", {}, raw)
    # the library's word "Valid" only says that some certificate signed these bytes
    found: State = {"Trusted": "trusted", "Valid": "untrusted"}.get(state or "", "tampered")  # type: ignore[assignment]
    return Report(found, _failures(store), active, manifests, raw)


def _failures(store: Mapping[str, Any]) -> str:
    results = (store.get("validation_results") or {}).get("activeManifest") or {}
    codes = [str(found.get("code")) for found in results.get("failure") or []]
    return ", ".join(codes)[:300]
