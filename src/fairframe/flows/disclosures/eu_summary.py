"""A draft public summary of training content, by Art. 53(1)(d) of Regulation (EU) 2024/1689 (the AI Act).

The headings follow the template that the Commission's AI Office published on July 24, 2025 (sections 1 to 3); what
stands under them is ours. Whether a model is a general-purpose one, and who its provider is, is not judged here.
"""

from fairframe.flows.disclosures.figure import day
from fairframe.flows.disclosures.learned import captions_by, made_by_models
from fairframe.flows.disclosures.sheet import DRAFT, Sheet, Written, outside
from fairframe.flows.disclosures.subject import Subject

FILE = "eu-training-summary.md"
FILL = "*(to be filled in by the provider)*"
HOUR_MS = 3_600_000
Range = tuple[int | None, str]
VIDEO_HOURS: tuple[Range, ...] = (
    (10_000, "less than 10,000 hours"),
    (1_000_000, "10,000 to 1 million hours"),
    (None, "more than 1 million hours"),
)
TEXT_TOKENS: tuple[Range, ...] = (
    (10**9, "less than 1 billion tokens"),
    (10**13, "1 billion to 10 trillion tokens"),
    (None, "more than 10 trillion tokens"),
)
"""The template's ranges: the amount below which each one holds."""


def write(subject: Subject) -> Written:
    sheet = Sheet(subject.figures)
    sheet.heading("Public summary of training content (EU AI Act, Art. 53(1)(d))", 1)
    sheet.paragraph(f"> {DRAFT}")
    _undisclosed(sheet)
    sheet.heading("1. General information")
    _provider(sheet, subject)
    _model(sheet, subject)
    _size(sheet)
    sheet.heading("2. List of data sources")
    _sources(sheet, subject)
    sheet.heading("3. Data processing aspects")
    _processing(sheet)
    return sheet.written()


def _undisclosed(sheet: Sheet) -> None:
    if sheet.number("ancestors_undisclosed"):
        sheet.paragraph(
            f"**The model descends from {sheet.value('ancestors_undisclosed')} whose training data is undisclosed.**"
            " This summary covers what was added to them, and nothing of what they were made of: see whether their"
            " providers published a summary, and name it in 1.2."
        )


def _provider(sheet: Sheet, subject: Subject) -> None:
    sheet.heading("1.1 Provider identification", 3)
    sheet.bullets(
        [
            f"Provider name and contact details: {outside(subject.provider)}; {FILL}",
            f"Authorized representative name and contact details: {FILL}",
        ]
    )


def _model(sheet: Sheet, subject: Subject) -> None:
    sheet.heading("1.2 Model identification", 3)
    sheet.bullets(
        [
            f"Versioned model name: {outside(subject.name)}, checkpoint `{subject.checkpoint}`, weights"
            f" `{subject.weights_hash}`",
            f"Model dependencies: as listed below {sheet.cite('ancestors')}",
            f"Date of placement on the Union market: {FILL}",
        ]
    )
    sheet.listing("ancestors", ("name", "kind", "role", "license", "data"))


def _size(sheet: Sheet) -> None:
    video = _range(VIDEO_HOURS, sheet.number("delivered_ms") / HOUR_MS)
    text = _range(TEXT_TOKENS, sheet.number("caption_characters"))
    sheet.heading("1.3 Modalities, overall training data size and other characteristics", 3)
    sheet.bullets(
        [
            f"Video: {video}: {sheet.value('delivered_ms')} in {sheet.value('clips_delivered')}. Stock footage: spans"
            " without cuts, of which pictures are used and no sound.",
            f"Text: {text} (a token is a character or more): {sheet.value('caption_characters')} in the captions of"
            f" {sheet.value('clips_captioned')}, from what contributors wrote. Their languages are not recorded."
            f" {captions_by(sheet)}".rstrip(),
            "Image, audio, other: none.",
            f"Rendered footage beside these: {sheet.value('house_frames')}, repeats included (see 2.5).",
            f"Latest date of data acquisition: {day(_latest(sheet))} {sheet.cite('deliveries')}. The model is not"
            " trained on after that.",
        ]
    )


def _range(ranges: tuple[Range, ...], amount: float) -> str:
    return next(text for most, text in ranges if most is None or amount < most)


def _latest(sheet: Sheet) -> int | None:
    return max((line[-1] for line in sheet.lines("deliveries") if isinstance(line[-1], int)), default=None)


def _sources(sheet: Sheet, subject: Subject) -> None:
    sheet.heading("2.1 Publicly available datasets", 3)
    sheet.paragraph(f"None, by the signed lineage `{subject.lineage}`.")
    sheet.heading("2.2 Private non-publicly available datasets obtained from third parties", 3)
    sheet.paragraph(
        "2.2.1 Datasets commercially licensed by rightsholders or their representatives: **yes**, video with captions."
        f" {sheet.value('contributors_delivered')} license their footage through the library below; training consumed"
        f" {sheet.value('frames_consumed')} of {sheet.value('clips_consumed')} by"
        f" {sheet.value('contributors_consumed')}."
    )
    sheet.listing("deliveries", ("public_id", "name", "library", "items", "recorded_at_ms"))
    sheet.listing("agreements")
    sheet.paragraph("2.2.2 Private datasets obtained from other third parties: none, by the lineage.")
    sheet.heading("2.3 Data crawled and scraped from online sources", 3)
    sheet.paragraph("None, by the lineage: it names deliveries and rendered footage only.")
    sheet.heading("2.4 User data", 3)
    sheet.paragraph("None, by the lineage.")
    sheet.heading("2.5 Synthetic data", 3)
    sheet.paragraph(
        "Rendered by a program of the training software (moving shapes and textures, with captions by construction):"
        f" {sheet.value('house_frames')}, repeats included. No generative model made them. {made_by_models(sheet)}"
    )
    sheet.heading("2.6 Other sources of data", 3)
    sheet.paragraph("None, by the lineage.")


def _processing(sheet: Sheet) -> None:
    sheet.heading("3.1 Respect of reservation of rights from text and data mining exception or limitation", 3)
    sheet.paragraph(
        "The footage was licensed: no exception for text and data mining was relied on for it. The library's clearance"
        " reads reservations all the same, in C2PA (`c2pa.training-mining`, `cawg.training-mining`), XMP and IPTC,"
        " TDMRep and AIPREF: a trusted reservation keeps a clip out, any other waits for a person, and no signal ever"
        " grants."
    )
    sheet.listing("clearance_findings")
    sheet.paragraph(
        "Contributors may opt out at any time. Taken back after delivery, by the feeds taken so far"
        f" {sheet.cite('feeds')}: {sheet.value('clips_taken_back')}. Of these, training had consumed"
        f" {sheet.value('clips_taken_back_consumed')}, {sheet.value('frames_taken_back_consumed')}. The weights are as"
        f" they were: unlearning: none attempted. Attested as deleted: {sheet.value('clips_attested_deleted')}. A later"
        " opt-out keeps a clip out of later trainings, and reaches no copy of the weights that others hold."
    )
    if sheet.number("clips_taken_back"):
        sheet.listing("taken_back_reasons")
    sheet.heading("3.2 Removal of illegal content", 3)
    sheet.paragraph(
        "The footage comes from a curated library under contract, not from the open web. Holds by persons and claims"
        " keep clips out of deliveries. No detector of illegal content was run by this software. Measures of the"
        f" library and the provider: {FILL}"
    )
    sheet.heading("3.3 Other information", 3)
    sheet.paragraph("Energy: not measured.")
    sheet.listing("delivery_recipes")
