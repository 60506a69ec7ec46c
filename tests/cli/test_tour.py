"""The whole tour through the commands themselves: what each is for, its exit code, and the figures that matter."""

import base64
import csv
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairframe.core.keys import dump_private
from fairframe.core.timecode import Rate
from fairframe.media.encode import write_mp4
from fairframe.platform.keyring import Keys

from .conftest import Fairframe, Result

pytestmark = pytest.mark.torch

ADA, BEN, DIEGO = "Ada Lind", "Ben Okafor", "Diego Ruiz"
PEOPLE = (ADA, BEN, DIEGO)
FILMS = {
    "ada/1.mp4": ADA, "ada/2.mp4": ADA, "ben/1.mp4": BEN, "ben/2.mp4": BEN, "diego/1.mp4": DIEGO, "diego/2.mp4": DIEGO,
}  # fmt: skip
FPS, SHOT = 24, 26
FRAMES = 2 * SHOT

TERMS = """name = "contributors"
version = 1
regime = "opt-out"
notice_date = 2026-01-05
notice_days = 30
effective_date = 2026-03-01
names = ["evaluate", "research"]
text = "Silence consents to evaluation and research licenses; anything else needs a yes."
"""

PRESET = """name = "small"
[clip]
size = 16
frames = 5
fps = 24
stride = 4
[vae]
latent_channels = 4
encoder_channels = [8, 16]
decoder_channels = 16
[flow]
layers = 1
heads = 2
head_dim = 16
text_width = 16
text_layers = 1
text_heads = 2
[train_vae]
steps = 1
batch = 2
crop = 16
frames = 5
warmup = 0
[train_flow]
steps = 8
batch = 4
warmup = 0
[sampling]
steps = 2
"""


@dataclass
class Tour:
    """A library and a lab in a folder, and the command that is run on them."""

    run: Fairframe
    root: Path
    notes: dict[str, Any] = field(default_factory=dict[str, Any])
    said: list[str] = field(default_factory=list[str])
    """All that the commands printed."""

    def at(self, name: str) -> Path:
        return self.root / name

    def library(self, order: str, *more: object, code: int = 0) -> Result:
        return self._on("library", order, more, code)

    def lab(self, order: str, *more: object, code: int = 0) -> Result:
        return self._on("lab", order, more, code)

    def _on(self, who: str, order: str, more: tuple[object, ...], code: int) -> Result:
        done = self.run("-w", self.root / who, *order.split(), *more)
        self.said.append(done.out + done.err)
        assert done.code == code, f"{who}: {order} {more}: {done.out}{done.err}"
        assert "Traceback" not in done.err
        return done

    def agree(self, name: str, *more: object) -> str:
        """A deal from offer to acceptance; gives its id."""
        offer, signed = self.at(f"{name}.json"), self.at(f"{name}-signed.json")
        order = ("--offer", name, "--licensee", self.at("lab/party.json"), "-o", offer, *more)
        assert f"offered {name}" in self.library("rights agree", *order).out
        said = self.lab("rights show", offer, "--json").data
        assert (said["offer"], said["countersigned"]) == (name, False)
        self.lab("rights sign", offer, "-o", signed, "--yes")
        assert f"{said['id']} is active" in self.library("rights accept", signed).out
        return str(said["id"])

    def holds(self, who: str, target: Path | str, *more: object) -> Any:
        """What a verification says, which must hold."""
        report = getattr(self, who)("verify", target, *more, "--json").data
        assert report["holds"], report
        return report


def test_the_tour(fairframe: Fairframe, tmp_path: Path) -> None:
    tour = Tour(fairframe, tmp_path)
    for step in STEPS:
        try:
            step(tour)
        except BaseException as error:
            error.add_note(f"in the step {step.__name__}")
            raise


def parties(tour: Tour) -> None:
    for role, name in (("library", "Harbor Stock"), ("lab", "North Lab")):
        assert tour.run("init", tour.at(role), "--role", role, "--name", name).code == 0
    for one, other in (("library", "lab"), ("lab", "library")):
        said = tour.run("-w", tour.at(other), "trust", "list", "--json").data
        fingerprint = next(p["fingerprint"] for p in said if p["is_self"])
        order = ("trust", "add", tour.at(other) / "party.json", "--fingerprint", fingerprint)
        assert tour.run("-w", tour.at(one), *order).out.endswith("pinned\n")


def footage_in(tour: Tour) -> None:
    folder = tour.at("footage")
    rows = [_row(name, who) for name, who in FILMS.items()]
    for number, name in enumerate(FILMS):
        _paint(folder / name, number)
    rows[0] |= {"people": "yes", "model_release": "unknown", "title": "A walk"}
    rows[1] |= {"collection": "Harbor; Dusk"}
    _paint(folder / "ada/twice.mp4", 90)
    shutil.copyfile(folder / "ada/twice.mp4", folder / "ben/twice.mp4")
    (folder / "ben/cut-off.mp4").write_bytes((folder / "ben/1.mp4").read_bytes()[:5000])
    rows += [_row("ada/twice.mp4", ADA), _row("ben/twice.mp4", BEN), _row("ben/cut-off.mp4", BEN)]
    table = folder / "metadata.csv"
    with table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    taken = tour.library("library ingest", folder, "--metadata", table, "--json", code=1).data
    assert (taken["accepted"], taken["known"], taken["held"]) == (8, 0, 2)
    assert [(one["file"], one["code"][:6]) for one in taken["refused"]] == [("ben/cut-off.mp4", "media.")]
    again = tour.library("library ingest", folder, "--metadata", table, code=1)
    assert "0 taken in" in again.out and "8 known" in again.out


def footage_seen(tour: Tour) -> None:
    page = tour.library("library list --limit 3 --json").data
    rest = tour.library("library list --json --after", page["next"]).data
    assert [one["file"] for one in page["assets"] + rest["assets"]] == [*list(FILMS)[:2], "ada/twice.mp4"] + [
        name for name in sorted([*FILMS, "ben/twice.mp4"]) if not name.startswith("ada")
    ]
    whose = tour.library("library list --json --contributor", DIEGO).data["assets"]
    assert {one["contributor"] for one in whose} == {DIEGO} and len(whose) == 2
    assert [one["file"] for one in tour.library("library search --json", "walk ada").data["assets"]] == ["ada/1.mp4"]
    assert "no assets" in tour.library("library search nowhere").out
    shown = tour.library("library show ada/1.mp4 --json").data
    assert shown["facts"]["people"] == "yes" and shown["contributor"]["name"] == ADA
    there = tour.library("library collections --json").data
    assert [(one["name"], one["contributor"], one["assets"]) for one in there] == [("Dusk", ADA, 1), ("Harbor", ADA, 1)]
    assert "Harbor" in tour.library("library show ada/2.mp4").out
    within = tour.library("library list --collection Harbor --json").data["assets"]
    assert [one["file"] for one in within] == ["ada/2.mp4"]
    held = tour.library("rights hold list --json").data
    assert {(one["filename"], one["code"]) for one in held} == {
        ("ada/twice.mp4", "same_bytes"), ("ben/twice.mp4", "same_bytes"),
    }  # fmt: skip


def terms_and_deal(tour: Tour) -> None:
    file = tour.at("terms.toml")
    file.write_text(TERMS)
    assert "3 contributors told" in tour.library("rights terms add", file, "--tell", "all", "--yes").out
    assert tour.library("rights terms list --json").data[0]["names"] == ["evaluate", "research"]
    offers = {one["name"]: one["terms"] for one in tour.lab("rights offers --json").data}
    assert offers["commercial"]["purpose"] == "commercial"
    tour.notes["research"] = tour.agree("research", "--fee", "10000.00")
    (deal,) = tour.library("rights list --json").data
    assert (deal["state"], deal["fee"]) == ("active", "10000.00 USD")


def clearance(tour: Tour) -> None:
    deal = tour.notes["research"]
    cleared = tour.library("rights clear", deal, "--json").data
    assert cleared["counts"] == {"ALLOW": 5, "REVIEW": 1, "DENY": 2}
    assert cleared["findings"] == {"hold": 2, "model_release_missing": 1}
    assert "ALLOW 5" in tour.library("rights clear", deal).out
    paper = tour.at("release.txt")
    paper.write_text("I agree that models are trained on my picture.")
    assert "on file" in tour.library("library release add ada/1.mp4", paper, "--ai-training").out
    why = tour.library("rights clear", deal, "--explain", "ada/1.mp4", "--json").data
    assert why["outcome"] == "ALLOW"
    for word, outcome in (("--deny", "DENY"), ("--allow", "ALLOW")):
        tour.library("rights consent --collection Harbor", ADA, word, "research")
        of_it = tour.library("rights clear", deal, "--explain", "ada/2.mp4", "--json").data
        assert of_it["outcome"] == outcome
        assert tour.library("rights clear", deal, "--json").data["counts"]["ALLOW"] == 5 + (outcome == "ALLOW")
    assert "collection.missing" in tour.library("rights consent --collection Harbor", BEN, "--deny", "*", code=1).err
    first = tour.library("rights hold list --json").data[0]
    tour.library("rights hold lift", first["public_id"], "--reason", "shown to be theirs")
    tour.library("rights hold place ada/2.mp4 --reason", "a letter came")
    assert "DENY" in tour.library("rights clear", deal, "--explain", "ada/2.mp4").out
    (placed,) = [one for one in tour.library("rights hold list --json").data if one["filename"] == "ada/2.mp4"]
    tour.library("rights hold lift", placed["public_id"], "--reason", "answered")
    assert tour.library("rights clear", deal, "--json").data["counts"]["ALLOW"] == 7


def delivery(tour: Tour) -> None:
    measured = tour.library("curate --json").data
    assert measured["measured"] == 8 and measured["shots"] >= 12 and not measured["refused"]
    assert "0 assets measured" in tour.library("curate").out
    order = ("dataset build", tour.notes["research"], "--name", "research-set", "--min-frames", 17)
    built = tour.library(*order, "--json").data
    assert built["items"] >= 8 and built["contributors"] == 3
    folder = tour.at("delivery")
    assert f"{built['items']} clips" in tour.library("dataset deliver research-set -o", folder).out
    assert f"{built['items']} clips" in tour.lab("dataset receive", folder).out
    assert "known" in tour.lab("dataset receive", folder).out
    for who in (tour.library, tour.lab):
        (one,) = who("dataset list --json").data
        assert (one["name"], one["items"]) == ("research-set", built["items"])
        assert who("dataset show research-set --json").data
        assert "research-set" in who("dataset show research-set").out
    tour.holds("lab", folder)
    alone = _process("fairframe-verify", folder, *_trusted(tour))
    assert alone.returncode == 0 and "checks hold" in alone.stdout, alone.stdout + alone.stderr
    tour.notes["items"] = built["items"]


def training(tour: Tour) -> None:
    preset = tour.at("small.toml")
    preset.write_text(PRESET)
    order = ("train --dataset research-set --name harbor --from-scratch --preset", preset)
    assert "consumed" in tour.lab(*order).out
    assert "model.exists" in tour.lab(*order, code=1).err
    scored = tour.lab("evaluate harbor --json").data
    assert scored
    assert "verdict" in tour.lab("evaluate harbor").out
    (made,) = tour.lab("model list --json").data
    assert made["name"] == "harbor" and made["frames_seen"] > 0
    tour.holds("lab", tour.at("lab/models/harbor"))


def films(tour: Tour) -> None:
    shots = {"text": (), "image": ("--image", _picture(tour)), "extend": ("--extend", tour.at("footage/ada/1.mp4"))}
    for mode, more in shots.items():
        out = tour.at(f"{mode}.mp4")
        order = ("generate", "a square moves", "--model", "harbor", "--seconds", "0.5", "--size", 64, "-o", out, *more)
        assert "frames in" in tour.lab(*order[:1], *order[1:]).out
        codes = {one["code"]: one for one in tour.holds("lab", out)["findings"]}
        assert f"from {mode}" in codes["film.generated"]["text"]
    text = tour.at("text.mp4")
    (scored,) = tour.lab("evaluate harbor --json --film", text).data["films"]
    assert scored["file"] == str(text) and {"warp_error", "flow", "nearest"} <= set(scored["measures"])
    assert "From the nearest training clip" in tour.lab("evaluate harbor --film", text).out
    sold = ("--model", "harbor", "--seconds", "0.5", "--purpose", "commercial", "-o", tour.at("advert.mp4"))
    refused = tour.lab("generate", "a square", *sold, code=1)
    assert refused.err.startswith("error[guard.") and not tour.at("advert.mp4").exists()
    real = _process("fairframe", "-w", tour.at("lab"), "verify", tour.at("text.mp4"))
    assert real.returncode == 0 and real.stdout.splitlines()[-1].startswith("film: all "), real.stdout + real.stderr


def descendants(tour: Tour) -> None:
    weights = tour.at("captioner.bin")
    weights.write_bytes(b"weights of a model from elsewhere")
    license = ("--license", "MIT", "--url", "https://example.com/license", "--by", "Kim Lee")
    assert "data undisclosed" in tour.lab("model external add captioner", "--weights", weights, *license).out
    assert "input.bad_external" in tour.lab("model external add captioner", *license, code=1).err
    (known,) = tour.lab("model external list --json").data
    assert (known["commercial"], known["release"], known["data"]) == ("unknown", "unknown", "undisclosed")
    assert "captioner" in tour.lab("model external list").out
    order = ("train --dataset research-set --name pier --from harbor --preset", tour.at("small.toml"))
    tour.lab(*order, "--ancestor", "captioner=captioner")
    assert "quay (ckp_" in tour.lab("model merge pier harbor --name quay --weight 1/3").out
    assert "merge.weight" in tour.lab("model merge pier harbor --name none --weight 1/1", code=1).err
    found = tour.lab("model show quay --json").data
    assert [(one["name"], one["role"], one["weight"]) for one in found["made_of"]["made_of"]] == [
        ("pier", "merge", "1/3"), ("harbor", "merge", "2/3"),
    ]  # fmt: skip
    inner = found["made_of"]["made_of"][0]["made_of"]
    assert [(one["name"], one["role"], one["data"]) for one in inner] == [
        ("harbor", "base", "disclosed"), ("captioner", "captioner", "undisclosed"),
    ]  # fmt: skip
    permitted = {(one["use"], one["purpose"]): one for one in found["permissions"]}
    assert permitted["generate", "research"]["permitted"] and permitted["fine_tune", "research"]["permitted"]
    against = {one["code"] for one in permitted["release_weights", "commercial"]["findings"] if not one["ok"]}
    assert against == {
        "guard.purpose", "guard.action", "guard.model_scope", "guard.license_commercial", "guard.license_release",
    }  # fmt: skip
    shown = tour.lab("model show quay")
    assert "captioner" in shown.out and "guard.license_release" in shown.out and "release weights" in shown.out
    assert "evaluate.no_delivery" in tour.lab("evaluate quay", code=1).err
    out = tour.at("quay.mp4")
    tour.lab("generate", "a square", "--model", "quay", "--seconds", "0.5", "--size", 64, "-o", out)
    codes = {one["code"]: one for one in tour.holds("lab", out)["findings"]}
    assert "each of the 2 ancestors" in codes["chain.ancestors"]["text"]
    for name in ("pier", "quay"):
        tour.holds("lab", tour.at(f"lab/models/{name}"))
    assert "guard.license_commercial" in " ".join(
        tour.lab("generate a --purpose commercial --model quay --seconds 1 -o", tour.at("no.mp4"), code=1).err.split()
    )


def money(tour: Tour) -> None:
    report, deal = tour.at("usage.json"), tour.notes["research"]
    tour.at("file").write_text("")
    assert "input.unwritable" in tour.lab("usage report harbor -o", tour.at("file/usage.json"), code=1).err
    tour.lab("usage report harbor -o", report)
    assert "bundle.type" in tour.library("rights accept", report, code=1).err
    assert "harbor consumed" in tour.library("royalties usage", report).out
    assert [one["name"] for one in tour.library("model list --json").data] == ["harbor"]
    order = ("royalties revenue", deal, "--amount", "10000.00", "--ref", "INV-1")
    assert "pool 2000.00" in tour.library(*order, "--yes").out
    assert "known" in tour.library(*order).out
    (split,) = tour.library("royalties allocate --json").data
    assert split["agreement"] == deal
    assert "no open pools" in tour.library("royalties allocate").out
    books = tour.library("royalties balance --json").data
    owed = {one["name"]: one["amount_micro"] for one in books["accounts"] if one["name"]}
    assert set(owed) == set(PEOPLE) and sum(owed.values()) == 200_000_000_000 and books["holds"]
    drafted = tour.library("royalties statement", ADA, "--json")
    assert int(drafted.data["earned_micro"]) > 0 and "not signed" in drafted.err
    folder, books = tour.at("statements"), tour.at("books")
    assert "statement.open" in tour.library("royalties statement", ADA, "-o", folder, code=1).err
    assert "input.confirm" in tour.library("royalties close --to now -o", books, code=1).err
    assert "closed up to" in tour.library("royalties close --to now --yes -o", books).out
    (closed,) = books.glob("*.json")
    tour.holds("library", closed)
    assert [one["id"] for one in tour.library("royalties periods --json").data] == [closed.stem]
    journal = tour.library("royalties journal --format beancount -o", books)
    assert "2 transactions" in journal.out and (books / "journal.beancount").stat().st_size
    assert "carried over" in tour.library("royalties statement", ADA, "-o", folder).out
    assert {file.suffix for file in folder.iterdir()} - {".pdf"} == {".json", ".csv", ".html"}
    (statement,) = folder.glob("*.json")
    tour.holds("library", statement, "--agreement", tour.at("research-signed.json"))
    order = ("royalties pay", ADA, "--ref", "PAY-1")
    assert "input.confirm" in tour.library(*order, code=1).err
    paid = tour.library(*order, "--yes").out.strip()
    again = tour.library(*order).out.strip()
    assert paid.startswith("pay_") and again == f"{paid}, known: settled", "the same reference pays once"


def commercial_upgrade(tour: Tour) -> None:
    for who in (ADA, BEN):
        assert "allowed" in tour.library("rights consent", who, "--allow", "commercial").out
    deal = tour.agree("commercial", "--fee", "40000.00", "--upgrade-of", tour.notes["research"])
    folder = tour.at("grants")
    assert "input.unwritable" in tour.library("rights grant", deal, "-o", tour.at("file/grants"), code=1).err
    assert not [one for one in tour.library("model list --json").data if one["events"]], "nothing was decided"
    blocked = tour.library("rights grant", deal, "-o", folder, code=1)
    assert "blocked" in blocked.out and not list(folder.glob("*.json"))
    tour.library("rights consent", DIEGO, "--allow", "commercial")
    assert "granted" in tour.library("rights grant", deal, "-o", folder).out
    (granted,) = folder.iterdir()
    assert "harbor may be used under" in tour.lab("rights granted", granted).out
    assert "known" in tour.lab("rights granted", granted).out
    tour.holds("lab", granted)
    sold = ("--model", "harbor", "--seconds", "0.5", "--purpose", "commercial", "-o", tour.at("advert.mp4"))
    tour.lab("generate", "a square", "--size", 64, *sold)
    tour.holds("lab", tour.at("advert.mp4"))
    tour.notes["commercial"] = deal


def a_release_ends(tour: Tour) -> None:
    (paper,) = tour.library("library show ada/1.mp4 --json").data["releases"]
    assert paper["ended_ms"] is None
    told = tour.library("library release revoke ada/1.mp4", paper["id"])
    assert "in research-set at North Lab" in told.err and f"rights feed {tour.notes['research']}" in told.err
    shown = tour.library("library show ada/1.mp4")
    assert f"model {paper['id']}, ended 20" in shown.out and "training covered" not in shown.out
    again = tour.library("library release revoke ada/1.mp4", paper["id"], code=1)
    assert "release.ended" in again.err
    tour.notes["ended"] = int(told.err.split()[0])


def opt_out(tour: Tour) -> None:
    before, same = (
        tour.library(order, DIEGO).data for order in ("rights opt-out --dry-run --json", "dataset impact --json")
    )
    for each in (before, same):
        each["deliveries"] = [one["delivery"] for one in each["deliveries"]]  # due is counted from the look
    assert before["items"] > 0 and before == same
    assert "input.confirm" in tour.library("rights opt-out", DIEGO, code=1).err
    done = tour.library("rights opt-out --yes --json", DIEGO).data
    assert sum(one["items"] for one in done["revoked"]) == before["items"]
    feed, signed = tour.at("feed.json"), tour.at("attestation.json")
    back = before["items"] + tour.notes["ended"]
    sent = tour.library("rights feed", tour.notes["commercial"], "-o", feed)
    assert sent.out == f"feed signed, {tour.notes['ended']} more items taken back\n"
    tour.holds("lab", feed)
    tour.lab("rights refresh --json", feed)
    assert "input.confirm" in tour.lab("rights attest research-set -o", signed, code=1).err and not signed.exists()
    assert f"deletion of {back} clips" in tour.lab("rights attest research-set --yes -o", signed).out
    assert f"{back} clips deleted (0 late)" in tour.library("rights attested", signed).out
    tour.holds("library", signed)
    after = tour.library("dataset impact", DIEGO).out
    assert "opted out since" in after and "which stays theirs" in after
    (here,) = tour.lab("dataset list --json").data
    assert here["revoked"] == back


def all_of_it_holds(tour: Tour) -> None:
    for name in ("research-signed.json", "commercial-signed.json", "usage.json", "delivery", "text.mp4"):
        tour.holds("library", tour.at(name))
    tour.holds("library", "audit", "--against", tour.at("feed.json"))
    tour.holds("lab", "audit", "--against", tour.at("attestation.json"))
    for who in ("library", "lab"):
        page = tour.at(f"{who}.html")
        getattr(tour, who)("report -o", page)
        assert page.read_text("utf-8").startswith("<!")


def no_secret_is_told(tour: Tour) -> None:
    """No key, and not the secret of the pseudonyms, in anything printed or in any file beside the keyrings."""
    places = {path: path.read_bytes() for path in tour.root.rglob("*") if path.is_file() and path.parent.name != "keys"}
    assert {"fairframe.db", "delivery.json", "items.parquet", "library.html", "lab.html"} <= {
        path.name for path in places
    }
    places[Path("what was printed")] = "\n".join(tour.said).encode()
    for who in ("library", "lab"):
        ring = Keys(tour.at(who) / "keys")
        pems = [dump_private(ring.signing_key(keyid)[1]) for keyid in ring.held()]
        raw = [ring.library_secret(), *(ring.signing_key(keyid)[1].private_bytes_raw() for keyid in ring.held())]
        secrets = [b"".join(pem.splitlines()[1:-1])[24:60] for pem in (*pems, ring.c2pa().key_pem)]
        for one in raw:
            secrets += [one, one.hex().encode(), base64.b64encode(one)[:40], base64.urlsafe_b64encode(one)[:40]]
        assert len(secrets) == 2 + 4 * 2 and all(len(one) >= 32 for one in secrets)
        found = [str(path) for path, data in places.items() for one in secrets if one in data]
        assert found == []
    assert not [path for path, data in places.items() if b"PRIVATE KEY" in data]


STEPS: tuple[Callable[[Tour], None], ...] = (
    parties,
    footage_in,
    footage_seen,
    terms_and_deal,
    clearance,
    delivery,
    training,
    films,
    descendants,
    money,
    commercial_upgrade,
    a_release_ends,
    opt_out,
    all_of_it_holds,
    no_secret_is_told,
)


def _row(name: str, who: str) -> dict[str, str]:
    calm = {"people": "no", "model_release": "not needed", "property_release": "not needed", "editorial": "no"}
    return {
        "filename": name,
        "contributor": who,
        "title": f"Film {name}",
        "description": "a square moves",
        "collection": "",
    } | calm


def _paint(path: Path, seed: int) -> None:
    """Two shots in which a square moves over a ground of blocks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    frames: list[Any] = []
    for _ in range(2):
        ground = np.kron(rng.integers(0, 200, (32, 40, 3), np.uint8), np.ones((8, 8, 1), np.uint8))
        for place in range(SHOT):
            frame = ground.copy()
            frame[100:140, 10 + 8 * place : 50 + 8 * place] = 255
            frames.append(frame)
    write_mp4(path, frames, Rate(FPS))


def _picture(tour: Tour) -> Path:
    import cv2

    path = tour.at("first.png")
    cv2.imwrite(str(path), np.kron(np.arange(48, dtype=np.uint8).reshape(4, 4, 3), np.ones((16, 16, 1), np.uint8)))
    return path


def _trusted(tour: Tour) -> list[object]:
    return ["--trust", tour.at("library/party.json"), "--trust", tour.at("lab/party.json")]


def _process(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A command as a process of its own."""
    program = Path(sys.executable).parent / name
    return subprocess.run([program, *(str(a) for a in arguments)], capture_output=True, text=True, check=False)
