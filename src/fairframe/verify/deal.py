"""Recomputes the pool of an allocation: by the agreement's terms, of the revenue that came in or went back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields
from fairframe.core.money import MICRO
from fairframe.core.rational import Share
from fairframe.core.split_basis import LINEAGE, MOST_CHARS, SplitBasis
from fairframe.verify.agreements import BASES, RECOGNIZED, Terms
from fairframe.verify.numbers import number

FEES = ("flat", "per_clip", "per_hour", "milestone", "renewal")
GENERATIVE = ("subscription", "output", "export")
TAKEN = ("refund", "chargeback")
KINDS = (*FEES, *GENERATIVE, *TAKEN, "invoice")
COUNTED = ("per_clip", "per_hour", "output", "export")


@dataclass
class Remarks:
    """What there is to say of one booking: `wrong` fails, `good` was recomputed, `unseen` cannot be looked at here."""

    wrong: list[str] = field(default_factory=list[str])
    good: list[str] = field(default_factory=list[str])
    unseen: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class Deals:
    """The agreements that were given to compare with, by id, and what the statement says once for all its deals."""

    library: str
    currency: str
    signed: Mapping[str, Terms]


@dataclass(frozen=True)
class Revenue:
    """What came in (or went back: taken) in minor units. left: of a refund, gross and tax that were left before it."""

    kind: str
    gross: int
    tax: int
    refers: bool
    left: tuple[int, int]

    @property
    def taken(self) -> bool:
        return self.kind in TAKEN

    def pool(self, terms: Terms) -> int:
        """The contributors' part in micro units, below zero where it went back."""
        if not self.taken:
            return _pool(terms, self.gross, self.tax)
        gross, tax = self.left
        return _pool(terms, gross - self.gross, tax - self.tax) - _pool(terms, gross, tax)


def _pool(terms: Terms, gross: int, tax: int) -> int:
    return terms.share.of((gross if terms.base == BASES[1] else gross - tax) * MICRO)


def pool_of(fields: Fields, remarks: Remarks, deals: Deals) -> int:
    """The pool that an allocation states, after checking it against its agreement, model and revenue."""
    wrong = remarks.wrong
    terms = _agreement(fields.fields("agreement"), remarks, deals)
    revenue = _revenue(fields.fields("revenue"), wrong)
    pool = number(fields, "pool_micro", signed=True)
    modeled = _model(fields, remarks)
    if (revenue.kind in FEES and modeled) or (revenue.kind in GENERATIVE and not modeled):
        wrong.append(f"revenue of the kind {revenue.kind} is {'not ' if modeled else ''}of a model")
    if pool != revenue.pool(terms):
        wrong.append(f"the pool is not {terms.share} of {terms.base.replace('_', ' ')}")
    invoiced = revenue.kind == "invoice"
    pays = revenue.refers and not revenue.taken
    if pool and ((invoiced and terms.recognized == "received") or (pays and terms.recognized == "invoiced")):
        wrong.append(f"this agreement counts what is {terms.recognized}, so a pool of this event is none")
    basis = LINEAGE if modeled else terms.split_basis
    if fields.text("method", max_chars=MOST_CHARS) != basis or str(SplitBasis.parse(terms.split_basis)) != (
        terms.split_basis
    ):
        wrong.append("the method is not the agreement's split basis")
    _scores(fields, remarks, not modeled and "scores" in SplitBasis.parse(terms.split_basis).names)
    if (fields.value("weights_of") is not None) != revenue.taken:
        wrong.append("the weights of another allocation are taken for a refund or chargeback, and only for one")
    elif revenue.taken:
        fields.id("weights_of", "alc")
    return pool


def _agreement(fields: Fields, remarks: Remarks, deals: Deals) -> Terms:
    name, version = fields.id("id", "agr"), fields.integer("version", least=1)
    offer, purpose = fields.text("offer", max_chars=200), fields.text("purpose", max_chars=40)
    lab = ""
    if fields.value("licensee") is not None:
        licensee = fields.fields("licensee")
        lab = licensee.id("id", "pty")
        licensee.text("name", max_chars=200)
        licensee.close()
    share, basis = Share.parse(fields.text("share", max_chars=40)), fields.text("split_basis", max_chars=MOST_CHARS)
    base, recognized = fields.text("base", one_of=BASES), fields.text("recognized", one_of=RECOGNIZED)
    fields.close()
    said = Terms(name, version, offer, purpose, deals.library, lab, share, base, recognized, basis, deals.currency)
    signed = deals.signed.get(name)
    if signed is None:
        text = f"that {name}, version {version}, agrees on a share of {share}, split by {basis}, is the library's word"
        remarks.unseen.append(f"{text}: compare it with the signed agreement (--agreement FILE)")
    elif wrong := signed.differing(said):
        remarks.wrong += [f"{name}: {text}" for text in wrong]
    else:
        text = f"which both parties signed, says the same: {share} of {base.replace('_', ' ')} split by {basis}"
        remarks.good.append(f"{name}, version {version}, {text}")
    return said


def _revenue(fields: Fields, wrong: list[str]) -> Revenue:
    fields.id("event", "rev")
    fields.time_ms("effective_at")
    kind = fields.text("kind", one_of=KINDS)
    if (fields.value("quantity") is not None) != (kind in COUNTED):
        wrong.append("a quantity stands where the kind of revenue has none, or lacks where it has one")
    elif kind in COUNTED:
        number(fields, "quantity", least=1)
    gross, tax, net = (number(fields, f"{name}_minor") for name in ("gross", "tax", "net"))
    if tax > gross:
        raise BadDocument("Tax is more than gross receipts", code="statement.revenue", where=fields.where)
    if gross - tax != net:
        wrong.append("net receipts are not gross less tax")
    refers, left = fields.value("of") is not None, (0, 0)
    if refers:
        of = fields.fields("of")
        of.id("event", "rev")
        left = number(of, "left_gross_minor"), number(of, "left_tax_minor")
        of.close()
    fields.close()
    if kind in TAKEN and not (refers and gross <= left[0] and tax <= left[1] and gross - tax <= left[0] - left[1]):
        raise BadDocument("A refund takes more than was left of an event", code="statement.refund", where=fields.where)
    return Revenue(kind, gross, tax, refers, left)


def _model(fields: Fields, remarks: Remarks) -> bool:
    """Whether the allocation is of a model; what its lineage says is told, and its parts are summed."""
    if fields.value("model") is None:
        return False
    model = fields.fields("model")
    name = model.id("checkpoint", "ckp")
    model.text("name", max_chars=400)
    whole, parts, ways = number(model, "whole"), 0, set[str]()
    for value in model.list("runs", max_items=10_000):
        run = Fields(value, "statement.allocations.model.runs")
        for key in ("checkpoint", "name", "counted"):
            run.text(key, max_chars=400)
        ways.add(run.text("usage", max_chars=40) or "not told")
        parts += number(run, "part")
        for key in ("frames", "delivered_frames"):
            number(run, key)
        run.close()
    for value in model.list("not_paid", max_items=10_000):
        other = Fields(value, "statement.allocations.model.not_paid")
        for key in ("kind", "name"):
            other.text(key, max_chars=400)
        parts += 0 if other.value("part") is None else number(other, "part")
        other.close()
    model.close()
    if parts > whole:
        remarks.wrong.append("the parts of the model's lineage sum to more than the whole")
    how = ", ".join(sorted(ways))
    remarks.unseen.append(f"that {name} was trained as its lineage says, by usage that is {how or 'not told'}")
    return True


def _scores(fields: Fields, remarks: Remarks, wanted: bool) -> None:
    if (fields.value("scores") is not None) != wanted:
        remarks.wrong.append("scores are named where the split basis has none, or are not where it has")
        return
    if wanted:
        scores = fields.fields("scores")
        scores.id("set", "scs")
        digest = scores.hex("file_sha256")
        scores.close()
        remarks.unseen.append(f"the scores: those of the file with SHA-256 {digest}")
