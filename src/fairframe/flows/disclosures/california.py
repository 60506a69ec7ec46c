"""A draft disclosure by California's AB 2013 (2024): Cal. Civ. Code § 3111(a), items (1) to (12).

The items are told in our own words; the statute's text governs. § 3110 says who is a developer and what is a
substantial modification, § 3111(b) what is exempt: neither is judged here.
"""

from fairframe.flows.disclosures.learned import captions_by, made_by_models
from fairframe.flows.disclosures.sheet import DRAFT, Sheet, Written, outside
from fairframe.flows.disclosures.subject import Subject

FILE = "california-ab-2013.md"


def write(subject: Subject) -> Written:
    sheet = Sheet(subject.figures)
    sheet.heading("Training data disclosure (California, AB 2013)", 1)
    sheet.paragraph(f"> {DRAFT}")
    sheet.paragraph(
        f"{outside(subject.provider)} on the model {outside(subject.name)} (`{subject.checkpoint}`), by the items of"
        " Cal. Civ. Code § 3111(a). Whether the section applies, and since when, is for counsel (§§ 3110, 3111(b))."
    )
    _undisclosed(sheet)
    for number, (title, fill) in enumerate(ITEMS, 1):
        sheet.heading(f"({number}) {title}")
        fill(sheet)
    return sheet.written()


def _undisclosed(sheet: Sheet) -> None:
    if sheet.number("ancestors_undisclosed"):
        sheet.paragraph(
            f"**The model descends from {sheet.value('ancestors_undisclosed')} whose training data is undisclosed.** No"
            " item below covers that data: ask whoever made them."
        )
        sheet.listing("ancestors", ("name", "kind", "role", "license", "data"))


def _sources(sheet: Sheet) -> None:
    sheet.listing("deliveries", ("public_id", "name", "library"))
    sheet.paragraph(
        f"The library licenses the footage of {sheet.value('contributors_delivered')}, whom the developer knows by"
        " pseudonyms only (one for each contributor and family of agreements). Beside it, footage rendered by the"
        f" training software: {sheet.value('house_frames')}."
    )


def _purpose(sheet: Sheet) -> None:
    sheet.paragraph(
        "The model makes short films from a caption, or goes on from given frames. From clips it learns how what a"
        f" caption names looks and moves; with a caption came {sheet.value('clips_captioned')}. Clips held out of"
        f" training ({sheet.value('clips_held_out')}) serve to evaluate it. Rendered footage, where it was used, shows"
        " motion that is known exactly."
    )


def _points(sheet: Sheet) -> None:
    sheet.paragraph(
        f"{sheet.value('clips_delivered')}, together {sheet.value('delivered_ms')}. Training consumed"
        f" {sheet.value('frames_consumed')} of {sheet.value('clips_consumed')}, which last"
        f" {sheet.value('consumed_ms')} and come from {sheet.value('assets_consumed')}, and"
        f" {sheet.value('house_frames')} of rendered footage. The sets are closed: nothing is added to a delivery."
    )


def _types(sheet: Sheet) -> None:
    sheet.paragraph(
        "Video clips, each a span without a cut, whose pictures are used and no sound. A caption in natural language is"
        f" the label; with one came {sheet.value('clips_captioned')}."
    )
    sheet.listing("windows")
    sheet.listing("licensed_sides")


def _copyright(sheet: Sheet) -> None:
    sheet.paragraph(
        "The clips are licensed works; take them as protected by copyright. The deliveries do not say of single clips"
        " whether one is in the public domain, nor whether trademarks or patented designs are to be seen. Rendered"
        " footage is the work of the developer's software."
    )


def _licensed(sheet: Sheet) -> None:
    sheet.paragraph("Licensed, by agreements that both parties signed. None was bought outright.")
    sheet.listing("agreements")


def _personal(sheet: Sheet) -> None:
    sheet.paragraph(
        "Contributors appear in the deliveries as pseudonyms. Captions are free text and may name people; clips may"
        " show people: the library's clearance asks for a model release where people are to be seen, and keeps back"
        " what nobody looked at. Whether such footage and text is personal information (§ 1798.140(v)) is for counsel,"
        " with the library."
    )


def _aggregate(sheet: Sheet) -> None:
    sheet.paragraph(
        f"The deliveries {sheet.cite('deliveries')} hold clips and captions; no field of theirs is meant for data about"
        " groups of consumers."
    )


def _processing(sheet: Sheet) -> None:
    sheet.paragraph(
        "By the library, before delivery: films are cut into spans without cuts; spans are measured (black, frozen,"
        " motion, sharpness) and filtered by the recipe below; near-duplicates are grouped so that no group is both"
        " trained on and held out; captions come from what contributors wrote (without markup, links and control"
        " characters), none from a model. Purpose: to train on whole, captioned motion, and to evaluate honestly."
    )
    sheet.paragraph(
        "By the developer: each clip is cropped to its middle square, scaled to the window's side and resampled to its"
        f" frame rate {sheet.cite('windows')}. {captions_by(sheet)}"
    )
    sheet.listing("delivery_recipes")


def _collected(sheet: Sheet) -> None:
    sheet.paragraph(
        "The developer took the deliveries in on the days below. When the footage itself was filmed stands in no"
        " delivery: ask the library. No collection is ongoing."
    )
    sheet.listing("deliveries", ("public_id", "recorded_at_ms"))


def _used(sheet: Sheet) -> None:
    sheet.paragraph("First used in development when these trainings began.")
    sheet.listing("trainings")


def _synthetic(sheet: Sheet) -> None:
    sheet.paragraph(
        f"Rendered by a program (moving shapes and textures), to teach motion: {sheet.value('house_frames')}, repeats"
        f" included; no generative model made them. {made_by_models(sheet)} While the model is used, no data is made"
        " for training."
    )
    sheet.listing("ancestors", ("name", "kind", "role", "license", "data"))


ITEMS = (
    ("Sources or owners of the datasets", _sources),
    ("How the datasets further the intended purpose of the system", _purpose),
    ("Number of data points", _points),
    ("Types of data points", _types),
    ("Data protected by copyright, trademark or patent, or in the public domain", _copyright),
    ("Whether the datasets were purchased or licensed", _licensed),
    ("Personal information (§ 1798.140(v))", _personal),
    ("Aggregate consumer information (§ 1798.140(b))", _aggregate),
    ("Cleaning, processing or other modification, and its purpose", _processing),
    ("Time period of collection, and whether it is ongoing", _collected),
    ("Dates when the datasets were first used in development", _used),
    ("Synthetic data generation", _synthetic),
)
