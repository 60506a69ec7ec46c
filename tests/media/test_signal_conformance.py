"""Which signal leads to which outcome: each case is really written, read and decided. docs/signals.md shows it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.media.test_signals import DMI, PLUS, XMP_HEAD, XMP_TAIL, identity, signed, with_xmp  # noqa: F401  (fixtures)
from tests.rights.test_clearance import GOOD, RESEARCH

from fairframe.media import sidecars
from fairframe.media.sandbox import MediaWorker
from fairframe.media.sandboxed import sidecar as read_in_child
from fairframe.media.sidecars import Form, form_of, names_for, read_sidecar
from fairframe.media.signals import Signal, read_signals
from fairframe.platform.certificates import C2paIdentity
from fairframe.rights.clearance import clear
from fairframe.rights.facts import SignalView

TDM = 'xmlns:tdm="http://www.w3.org/ns/tdmrep/"'
PAGE = Path(__file__).parents[2] / "docs" / "signals.md"


@dataclass(frozen=True)
class Case:
    """`said` as the page shows it; `body` what is written; signer: trusted, untrusted, tampered or nobody."""

    carrier: str
    said: str
    signer: str
    outcome: str
    finding: str
    body: Any = None

    @property
    def line(self) -> str:
        return f"| {self.carrier} | {self.said} | {self.signer} | {self.outcome} | {self.finding or '-'} |"


def credentials() -> list[Case]:
    found: list[Case] = []
    for family in ("c2pa", "cawg"):
        for use, trusted in (
            ("notAllowed", ("DENY", "do_not_train")),
            ("allowed", ("ALLOW", "")),
            ("constrained", ("REVIEW", "signal_unclear")),
            ("another word", ("REVIEW", "signal_unclear")),
        ):
            body = {"entries": {f"{family}.ai_generative_training": {"use": use}}}
            name = f"{family}.training-mining"
            found.append(Case(name, use, "trusted", *trusted, body))
            found.append(Case(name, use, "untrusted", "REVIEW", "signal_untrusted", body))
            found.append(Case(name, use, "tampered", "REVIEW", "signal_tampered", body))
        found.append(Case(name, "no entries", "trusted", "REVIEW", "signal_unreadable", {"entries": {}}))
    return found


def properties(carrier: str) -> list[Case]:
    """XMP in the file and in a sidecar: the same property, the same outcome."""
    words = ["ALLOWED", "PROHIBITED", "PROHIBITED-AIMLTRAINING", "PROHIBITED-GENAIMLTRAINING"]
    words += ["PROHIBITED-EXCEPTSEARCHENGINEINDEXING", "PROHIBITED-SEECONSTRAINT"]
    words += ["PROHIBITED-SEEEMBEDDEDRIGHTSEXPR", "PROHIBITED-SEELINKEDRIGHTSEXPR", "ANOTHERWORD"]
    mining = [(f"plus:DataMining DMI-{word}", f'{PLUS} plus:DataMining="{DMI}DMI-{word}"') for word in words]
    mining += [(f"tdm:reservation {n}", f'{TDM} tdm:reservation="{n}"') for n in (1, 0, 2)]
    found = [Case(carrier, said, "nobody", "REVIEW", "signal_untrusted", body) for said, body in mining]
    silent = f'{PLUS} plus:DataMining="{DMI}DMI-UNSPECIFIED"'
    return [*found, Case(carrier, "plus:DataMining DMI-UNSPECIFIED", "nobody", "ALLOW", "", silent)]


def sidecar_case(carrier: str, said: str, body: bytes, finding: str = "signal_untrusted") -> Case:
    return Case(carrier, said, "nobody", "ALLOW" if finding == "signal_noted" else "REVIEW", finding, body)


CASES = [
    *credentials(),
    *properties("XMP in the file"),
    *properties("FILE.mp4.xmp"),
    sidecar_case("FILE.mp4.xmp", "XMP without a word on mining", (XMP_HEAD + XMP_TAIL).encode(), "signal_noted"),
    sidecar_case("FILE.mp4.xmp", "broken XML", b"<x:xmpmeta", "signal_unreadable"),
    sidecar_case("FILE.mp4.xmp", "an entity", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "signal_unreadable"),
    sidecar_case("FILE.mp4.tdmrep.json", "tdm-reservation 1", b'[{"location": "/", "tdm-reservation": 1}]'),
    sidecar_case(
        "FILE.mp4.tdmrep.json",
        "tdm-reservation 1 with tdm-policy",
        b'[{"location": "/", "tdm-reservation": 1, "tdm-policy": "https://example.com/p.json"}]',
    ),
    sidecar_case("FILE.mp4.tdmrep.json", "tdm-reservation 0", b'{"tdm-reservation": 0}'),
    sidecar_case("FILE.mp4.tdmrep.json", "tdm-reservation 7", b'[{"location": "/", "tdm-reservation": 7}]'),
    sidecar_case("FILE.mp4.tdmrep.json", "no tdm-reservation", b'[{"location": "/"}]'),
    sidecar_case("FILE.mp4.tdmrep.json", "an empty array", b"[]", "signal_noted"),
    sidecar_case(
        "FILE.mp4.tdmrep.json", "a key twice", b'{"tdm-reservation":1,"tdm-reservation":0}', "signal_unreadable"
    ),
    sidecar_case("FILE.mp4.tdmrep.json", "no JSON", b"tdm-reservation: 1", "signal_unreadable"),
    sidecar_case("FILE.mp4.content-usage", "train-ai=n", b"train-ai=n\n"),
    sidecar_case("FILE.mp4.content-usage", "train-ai=y", b"train-ai=y"),
    sidecar_case("FILE.mp4.content-usage", "train-ai=n, search=y", b"Content-Usage: train-ai=n, search=y"),
    sidecar_case("FILE.mp4.content-usage", "train-ai=maybe", b"train-ai=maybe;why=1"),
    sidecar_case("FILE.mp4.content-usage", "another-label=n", b"another-label=n"),
    sidecar_case("FILE.mp4.content-usage", "nothing", b" \n", "signal_noted"),
    sidecar_case("FILE.mp4.content-usage", "train-ai=n,", b"train-ai=n,", "signal_unreadable"),
    sidecar_case("FILE.mp4.content-usage", "TRAIN-AI=n", b"TRAIN-AI=n", "signal_unreadable"),
    sidecar_case("FILE.mp4.content-usage", "over 1 MiB", b"a" * (sidecars.MAX_BYTES + 1), "signal_unreadable"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.carrier} {case.said} {case.signer}")
def test_each_case(
    case: Case,
    clip: Path,
    tmp_path: Path,
    signed: Callable[..., Path],  # noqa: F811
    identity: C2paIdentity,  # noqa: F811
) -> None:
    if case.carrier.endswith("training-mining"):
        path = signed(case.body, case.carrier)
        if case.signer == "tampered":
            data = bytearray(path.read_bytes())
            data[-2000] ^= 1
            path.write_bytes(data)
        found = read_signals(path, b"" if case.signer == "untrusted" else identity.ca_pem)
    elif case.carrier == "XMP in the file":
        found = read_signals(with_xmp(clip, tmp_path / "xmp.mp4", f"<rdf:Description {case.body}/>"))
    else:
        body = case.body
        if isinstance(body, str):
            body = (XMP_HEAD + f"<rdf:Description {body}/>" + XMP_TAIL).encode()
        path = tmp_path / case.carrier
        path.write_bytes(body)
        form = form_of(case.carrier)
        assert form is not None
        found = read_sidecar(path, form)
    assert found, "nothing is passed over in silence"
    assert (case.outcome, case.finding) == decided(found)


def decided(found: list[Signal]) -> tuple[str, str]:
    view = replace(GOOD, signals=tuple(SignalView(one.kind, one.key, one.value, one.trust) for one in found))
    decision = clear(view, RESEARCH, "research", 10)
    assert len(decision.codes) <= 1
    return decision.outcome, "".join(decision.codes)


def test_a_signal_never_grants() -> None:
    """An asset that waits or is denied stays so, whatever any signal says."""
    for case in CASES:
        assert case.outcome != "ALLOW" or case.finding in ("", "signal_noted")
    yes = SignalView("c2pa", "c2pa.ai_training", "allowed", "trusted")
    for change in ({"people": ""}, {"editorial": "yes"}, {"owners": (replace(GOOD.owners[0], events=()),)}):
        view = replace(GOOD, **change)
        with_yes = clear(replace(view, signals=(yes,)), RESEARCH, "research", 10)
        assert with_yes == clear(view, RESEARCH, "research", 10) and with_yes.outcome != "ALLOW"


def test_the_page_shows_each_case() -> None:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    start = lines.index("| signal | says | signer | outcome | finding |") + 1
    assert lines[start:] == [case.line for case in CASES], "\n".join(case.line for case in CASES)


@pytest.mark.parametrize(
    ("form", "body"), [("xmp", b"<a/>"), ("tdmrep", b'{"tdm-reservation": 1}'), ("aipref", b"b=n")]
)
def test_sidecars_are_read_in_the_child(form: Form, body: bytes, tmp_path: Path) -> None:
    path = tmp_path / "sidecar"
    path.write_bytes(body)
    with MediaWorker() as worker:
        assert read_in_child(worker, path, form) == read_sidecar(path, form)
        assert [one.trust for one in read_in_child(worker, tmp_path / "gone", form)] == ["unreadable"]


def test_what_else_is_said_is_kept() -> None:
    body = f'<rdf:Description {PLUS} plus:DataMining="DMI-PROHIBITED-SEECONSTRAINT"><plus:OtherConstraints><rdf:Alt>'
    body += '<rdf:li xml:lang="x-default">Ask us</rdf:li></rdf:Alt></plus:OtherConstraints></rdf:Description>'
    (one,) = sidecars.xmp_packet_signals((XMP_HEAD + body + XMP_TAIL).encode())
    assert (one.value, one.detail["plus:OtherConstraints"]) == ("constrained", "Ask us")
    (one,) = sidecars.tdmrep_signals(b'{"tdm-reservation": 1, "tdm-policy": "https://example.com/p"}')
    assert (one.value, one.detail["tdm-policy"]) == ("notAllowed", "https://example.com/p")
    found = sidecars.aipref_signals(b'train-ai=y, search=n, train-ai;a=1, x="q;\\"", y=(a b);c, z=:YQ==:, w=-1.5')
    assert [(one.key, one.value) for one in found][:2] == [("train-ai", "unknown"), ("search", "notAllowed")]


def test_a_sidecar_belongs_by_its_name() -> None:
    assert names_for("ada/Pier.MP4")[:2] == ["ada/pier.mp4.xmp", "ada/pier.mp4.tdmrep.json"]
    assert {"ada/pier.xmp", "ada/pier.content-usage", "ada/tdmrep.json"} <= set(names_for("ada/Pier.MP4"))
    assert [form_of(name) for name in ("a.XMP", "a/TDMRep.json", "a.content-usage", "a.json", ".xmp", "a.mp4")] == [
        "xmp",
        "tdmrep",
        "aipref",
        None,
        None,
        None,
    ]
