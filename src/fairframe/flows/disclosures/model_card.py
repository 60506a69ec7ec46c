"""The model card: Markdown with the front matter that the Hugging Face Hub documents for model cards.

Sources: huggingface.co/docs/hub/model-cards (metadata: license, license_name, license_link, base_model, datasets, tags,
library_name, pipeline_tag) and the sections of Mitchell et al., Model Cards for Model Reporting (2019).
"""

import json
import re

from fairframe.core.time import to_rfc3339
from fairframe.flows.disclosures.conditions import OWN
from fairframe.flows.disclosures.sheet import DRAFT, Sheet, Written, outside
from fairframe.flows.disclosures.subject import Subject

FILE = "README.md"
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}")
"""owner/name, as the Hub names its models. Other ancestors are not on the Hub: the text names them."""


def write(subject: Subject) -> Written:
    sheet = Sheet(subject.figures)
    sheet.heading(outside(subject.name), 1)
    sheet.paragraph(f"> {DRAFT}")
    _about(sheet, subject)
    _use(sheet, subject)
    _data(sheet)
    _opt_outs(sheet)
    _training(sheet)
    _evaluation(sheet)
    sheet.heading("Energy and emissions")
    sheet.paragraph("Not measured.")
    _check(sheet, subject)
    return sheet.written(front_matter(subject))


def front_matter(subject: Subject) -> str:
    """The YAML block at the top. Values are written as JSON, which YAML reads."""
    granted = subject.license
    lines = {"license": "other" if granted is None else granted.hub}
    if granted is None or granted.id == OWN:
        lines |= {"license_name": OWN, "license_link": "LICENSE"}
    bases = [str(line[0]) for line in subject.figures["ancestors"].lines if _HUB_NAME.fullmatch(str(line[0]))]
    listed = {
        "base_model": bases,
        "datasets": [str(line[0]) for line in subject.figures["deliveries"].lines],
        "tags": ["video", "licensed-training-data", "fairframe"],
    }
    text = [f"{name}: {json.dumps(value)}" for name, value in lines.items()]
    text += ["library_name: diffusers", "pipeline_tag: text-to-video"]
    for name, values in listed.items():
        text += [f"{name}:", *(f"- {json.dumps(value)}" for value in values)] if values else []
    return "---\n" + "\n".join(text) + "\n---\n\n"


def _about(sheet: Sheet, subject: Subject) -> None:
    sheet.paragraph(
        f"A video model of {outside(subject.provider)}: a causal video autoencoder, a rectified-flow transformer and a",
        f"byte-level text encoder. Checkpoint `{subject.checkpoint}`, made with {outside(subject.code)}.",
        f"One hash over all of its files: `{subject.weights_hash}`.",
    )
    sheet.listing("tensors")


def _use(sheet: Sheet, subject: Subject) -> None:
    sheet.heading("What it may be used for")
    found = subject.conditions
    if subject.purpose is None:
        sheet.paragraph("**These weights may not be released.** Why:")
        sheet.bullets([outside(reason) for reason in subject.reasons])
        return
    ends = f"until {to_rfc3339(found.ends_ms)}" if found.ends_ms is not None else "without an end"
    what = {"commercial": "research and commercial use", "research": "research that is not commercial"}
    films = "may be sold" if found.commercial_output else "may not be sold"
    sheet.paragraph(
        f"{what.get(subject.purpose, 'evaluation only').capitalize()}, {_where(subject)}, {ends}, by the agreements"
        f" below {sheet.cite('agreements')} and on the terms of LICENSE. Films that it makes {films}.",
    )
    sheet.paragraph(
        "Look at the evaluation, and at the window that it saw in training, before you rely on it. It knows what its"
        " footage shows: places, people and motion that the footage lacks, it does not know."
    )


def _where(subject: Subject) -> str:
    return "everywhere" if subject.conditions.territory.codes is None else f"in {subject.conditions.territory}"


def _data(sheet: Sheet) -> None:
    sheet.heading("Training data")
    sheet.paragraph(
        f"Delivered under signed agreements: {sheet.value('clips_delivered')}, together {sheet.value('delivered_ms')},"
        f" by {sheet.value('contributors_delivered')}, who are known to the lab by pseudonyms only. Held out of"
        f" training: {sheet.value('clips_held_out')}. Training consumed {sheet.value('frames_consumed')} of"
        f" {sheet.value('clips_consumed')} by {sheet.value('contributors_consumed')}, and beside these"
        f" {sheet.value('house_frames')} of footage that a program rendered (no camera, no other model)."
    )
    sheet.listing("deliveries")
    sheet.listing("agreements")
    sheet.heading("What it descends from", 3)
    sheet.listing("ancestors", ("name", "kind", "role", "license", "data"))
    if sheet.number("ancestors_undisclosed"):
        sheet.paragraph(
            f"**The training data of {sheet.value('ancestors_undisclosed')} is undisclosed**: what is said here about"
            " data does not cover them."
        )


def _opt_outs(sheet: Sheet) -> None:
    sheet.heading("Opt-outs")
    sheet.paragraph(
        f"Taken back after delivery, by the revocation feeds taken so far {sheet.cite('feeds')}:"
        f" {sheet.value('clips_taken_back')}. Of these, training had consumed"
        f" {sheet.value('clips_taken_back_consumed')}, {sheet.value('frames_taken_back_consumed')}. The weights are as"
        f" they were: unlearning: none attempted. Attested as deleted: {sheet.value('clips_attested_deleted')}.",
        "A later opt-out reaches no copy of these weights that others hold.",
    )
    if sheet.number("clips_taken_back"):
        sheet.listing("taken_back_reasons")


def _training(sheet: Sheet) -> None:
    sheet.heading("Training")
    sheet.listing("windows")
    sheet.listing("trainings")


def _evaluation(sheet: Sheet) -> None:
    sheet.heading("Evaluation")
    if not sheet.lines("evaluation"):
        sheet.paragraph("No evaluation of this checkpoint is on record.")
        return
    sheet.listing("evaluation")


def _check(sheet: Sheet, subject: Subject) -> None:
    sheet.heading("How to check it")
    sheet.paragraph(
        f"`lineage.json` is the signed lineage (`{subject.lineage}`), `model_release.json` signs the hash of every"
        f" file. With the party document of {outside(subject.provider)}, whose fingerprint you compared:",
    )
    sheet.paragraph("`fairframe-verify FOLDER --trust party.json`")
