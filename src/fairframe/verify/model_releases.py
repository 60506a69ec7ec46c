"""Checks a folder of released weights: what the lab signed, every file, the lineage inside, and where figures stand."""

from pathlib import Path

from fairframe.core.bundle import Bundle
from fairframe.core.canonical import Json, parse, sha256_hex
from fairframe.core.dsse import MAX_ENVELOPE_BYTES
from fairframe.core.errors import BadDocument, InputError
from fairframe.core.fields import Fields
from fairframe.core.model_release_body import FIGURES, FILE, TYPE, ModelRelease
from fairframe.core.time import to_rfc3339
from fairframe.verify.documents import open_checked
from fairframe.verify.files import read_limited
from fairframe.verify.kind import Finding, Kind, Target, several
from fairframe.verify.lineage import LINEAGE, Lineage, read_lineage
from fairframe.verify.models import check_files
from fairframe.verify.trust import Trust

MAX_FIGURES_BYTES = 16 * 2**20


def check(target: Target, trust: Trust, now_ms: int) -> list[Finding]:
    """The findings on a folder that holds a model_release.json."""
    data, bundle, findings = _open(target.path, FILE, TYPE, trust, now_ms)
    if bundle is None:
        return findings
    try:
        release = ModelRelease.from_json(bundle.body)
    except (BadDocument, InputError) as error:
        return [*findings, Finding(False, error.code, str(error))]
    findings.append(_terms(release, bundle))
    findings += check_files(target.path, release.files, frozenset({FILE}))
    data, lineage, more = _open(target.path, LINEAGE, "lineage", trust, now_ms)
    findings += more
    if lineage is not None:
        findings += _lineage(release, bundle, lineage, sha256_hex(data))
    return [*findings, *_figures(target.path, release)]


def _open(folder: Path, name: str, kind: str, trust: Trust, now_ms: int) -> tuple[bytes, Bundle | None, list[Finding]]:
    """A signed document of the folder: its bytes, and the bundle where it holds and is of its type."""
    try:
        data = read_limited(folder / name, MAX_ENVELOPE_BYTES, follow=False)
    except InputError as error:
        return b"", None, [Finding(False, error.code, str(error))]
    bundle, findings = open_checked(data, trust, now_ms, name)
    if bundle is not None and bundle.type != kind:
        findings.append(Finding(False, "model.type", f"{name} holds a {bundle.type}"))
    holds = bundle is not None and all(finding.ok is not False for finding in findings)
    return data, bundle if holds else None, findings


def _terms(release: ModelRelease, bundle: Bundle) -> Finding:
    ends = "without an end" if release.ends_ms is None else f"until {to_rfc3339(release.ends_ms)}"
    under = list(dict.fromkeys(one.agreement for one in release.under))
    text = f"{release.name} ({release.checkpoint}) is released for {release.purpose}, {release.territory}, {ends}"
    text += f", license {release.license}, under {', '.join(under) or 'no agreement'}"
    if bundle.agreement is not None and bundle.agreement.id not in under:
        return Finding(False, "release.terms", f"{text}, but it is issued under {bundle.agreement.id}")
    return Finding(True, "release.terms", text)


def _lineage(release: ModelRelease, bundle: Bundle, signed: Bundle, digest: str) -> list[Finding]:
    """Whether the lineage is that of these weights, by the same lab, and tells of the very files that are here."""
    try:
        lineage = read_lineage(signed.body)
    except (BadDocument, InputError) as error:
        return [Finding(False, error.code, str(error))]
    same = (signed.id, digest, signed.sender) == (release.lineage, release.lineage_digest, bundle.sender)
    weights = (lineage.checkpoint, lineage.weights_hash) == (release.checkpoint, release.weights_hash)
    return [
        Finding(same, "release.lineage", f"{LINEAGE} is {'' if same else 'not '}the one that the release names"),
        Finding(weights, "release.weights", f"its weights are {'' if weights else 'not '}those that are released"),
        *several("release.files", _others(release, lineage), "the files of the lineage are released unchanged"),
        *lineage.findings,
    ]


def _others(release: ModelRelease, lineage: Lineage) -> list[str]:
    return [
        f"{name} is not what the lineage says" for name, sha in lineage.files.items() if release.files.get(name) != sha
    ]


def _figures(folder: Path, release: ModelRelease) -> list[Finding]:
    """Whether every figure was read at the head that is signed. What it counts, only the lab's workspace shows."""
    try:
        value: Json = parse(
            read_limited(folder / FIGURES, MAX_FIGURES_BYTES, follow=False), max_bytes=MAX_FIGURES_BYTES
        )
        fields = Fields(value, FIGURES)
        figures = [Fields(one, FIGURES) for one in fields.list("figures", max_items=1_000)]
        other = [one.text("name", max_chars=80) for one in figures if not _at_head(one, release)]
    except (BadDocument, InputError) as error:
        return [Finding(False, error.code, str(error))]
    bad = [f"{name} was read at another head, moment or checkpoint than the release signs" for name in other]
    good = f"all {len(figures)} figures were read at the lab's audit head of size {release.figures.size}"
    return several("release.figures", bad, good)


def _at_head(figure: Fields, release: ModelRelease) -> bool:
    head, asked = figure.fields("audit_head"), figure.fields("parameters")
    return (head.integer("size"), head.hex("root"), asked.integer("read_at_ms"), asked.id("checkpoint")) == (
        release.figures.size,
        release.figures.root,
        release.read_ms,
        release.checkpoint,
    )


MODEL_RELEASE = Kind(
    name="model release",
    matches=lambda target: target.is_folder and (target.path / FILE).is_file(),
    check=check,
    cannot_show=(
        "that the weights come from the training that the lineage tells of, and from nothing else",
        "that the figures are true: the lab reads them from its own workspace, and asks them again with"
        " fairframe model figures",
        "that the documents meet any law: they are drafts, or what the lab made of them",
        "that an agreement permitted the release: see the agreement and its grants",
        "that nothing was taken back since, and who else holds a copy: released weights cannot be called back",
    ),
)
