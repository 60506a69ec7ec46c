"""A draft license of the weights, in plain text: never more than the agreements of all ancestors grant.

The template is ours. Which standard texts could be granted instead, and why not, is judged in conditions.py.
"""

import textwrap

from fairframe.core.plain import plain
from fairframe.core.time import to_rfc3339
from fairframe.flows.disclosures.conditions import OWN
from fairframe.flows.disclosures.figure import day
from fairframe.flows.disclosures.sheet import DRAFT, Sheet, Written
from fairframe.flows.disclosures.subject import Subject

FILE = "LICENSE"
WIDTH = 100
RULE = "-" * WIDTH


def write(subject: Subject) -> Written:
    sheet = Sheet(subject.figures)
    parts = [f"LICENSE OF THE WEIGHTS OF {plain(subject.name)}", DRAFT]
    parts += _clauses(subject, sheet) if subject.license is not None else _refused(subject)
    parts += [RULE, "NOTES FOR COUNSEL: NOT PART OF THE LICENSE", *_choices(subject), *_bounds(subject, sheet)]
    parts += [_OPEN, *sheet.plain_sources()]
    return Written("\n\n".join(_wrapped(part) for part in parts) + "\n", sheet.references)


def _clauses(subject: Subject, sheet: Sheet) -> list[str]:
    assert subject.license is not None
    if subject.license.id != OWN:
        return [
            f"{plain(subject.provider)} licenses the weights under {subject.license.title}"
            f" ({subject.license.id}, https://spdx.org/licenses/{subject.license.id}.html)."
        ]
    found, name = subject.conditions, plain(subject.provider)
    place = "anywhere" if found.territory.codes is None else f"in these countries only: {found.territory}"
    until = "" if found.ends_ms is None else f", until {to_rfc3339(found.ends_ms)}"
    use = {
        "commercial": "for research and for commercial purposes",
        "research": "for research that is not commercial, and for nothing else",
    }.get(subject.purpose or "", "to evaluate them, and for nothing else")
    clauses = [
        ("What is licensed", f"The weights are the files that model_release.json lists for the checkpoint"
         f" {subject.checkpoint}, whose one hash is {subject.weights_hash}."),
        ("Grant", f"{name} permits you to use, copy and change the weights {use}, {place}{until}. The bounds are those"
         f" of the agreements under which they were trained {sheet.cite('agreements')}."),
        ("Films", "Films that the weights make may be used and sold." if found.commercial_output else
         "Films that the weights make may not be sold, and not be used to sell anything."),
        ("Not granted", "What is not named above is not granted. In particular you do not try to take clips of the"
         " training set out of the weights, or to find out who made them or who is to be seen in them."),
        ("Passing on", "You may pass the weights on, changed or not, together with this license, model_release.json,"
         " lineage.json, the model card and the disclosures, and on no wider terms than these. What you make of them"
         " (fine-tuned, merged, distilled, quantized) stays under these bounds."),
        ("Opt-outs", _opt_out(subject)),
        ("End", "It ends at the time named above, and at once if you break it. Then you stop using the weights and"
         " delete your copies." if found.ends_ms is not None else
         "It ends at once if you break it. Then you stop using the weights and delete your copies."),
        ("No warranty", "The weights come as they are, without a warranty of any kind; as far as the law permits,"
         f" {name} is not liable for what comes of their use."),
    ]  # fmt: skip
    if found.passed:
        lines = "\n".join(f"   - {plain(p.ancestor)}: {plain(p.license)} {p.address}".rstrip() for p in found.passed)
        clauses.insert(5, ("Licenses of what they descend from", "They descend from these models, whose licenses hold"
                           f" beside this one {sheet.cite('ancestors')}:\n{lines}"))  # fmt: skip
    return [f"{n}. {title}. {text}" for n, (title, text) in enumerate(clauses, 1)]


def _opt_out(subject: Subject) -> str:
    text = (
        "Contributors may opt out later. That reaches no copy that you hold; you heed the notices about it that the"
        " licensor publishes where it published the weights."
    )
    if subject.conditions.delete_on_opt_out:
        text += " Where such a notice asks for it, you delete the weights within its time, as an agreement asks."
    return text


def _refused(subject: Subject) -> list[str]:
    return [
        "NO LICENSE CAN BE GRANTED. The release of these weights is not permitted:",
        "\n".join(f"   - {plain(reason)}" for reason in subject.reasons),
        "Until that changes, nobody but the licensee may have them, and only as the agreements say.",
    ]


def _choices(subject: Subject) -> list[str]:
    lines: list[str] = []
    for one in subject.choices:
        lines.append(f"   - {one.license.id}: {'yes' if one.can else 'no'}")
        lines += [f"     because {plain(why)}" for why in one.against]
    return ["Which texts can be granted:", "\n".join(lines)]


def _bounds(subject: Subject, sheet: Sheet) -> list[str]:
    """What each agreement asks: the license above repeats the strictest of each kind."""
    lines: list[str] = []
    for one in subject.bounds:
        films = "commercial output" if one.commercial_output else "no commercial output"
        lines.append(
            f"   - {plain(one.checkpoint)}: {one.agreement} ({one.purpose}; {one.territory}; ends"
            f" {day(one.ends_ms)}; {films}; opt-outs: {one.remedy})"
        )
    return [f"What flows down from each agreement {sheet.cite('agreements')}:", "\n".join(lines or ["   - none"])]


_OPEN = """Left to counsel:
   - whether the agreements' grant of release_weights carries a license to third parties on these terms
   - whether fees for the weights are receipts of which contributors have a share
   - the governing law, who signs, where notices about opt-outs are published
   - how the licenses of ancestors from elsewhere fit beside this one"""


def _wrapped(text: str) -> str:
    """Lines of at most WIDTH characters; a line that begins with spaces keeps them."""
    lines: list[str] = []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        lines += textwrap.wrap(line, WIDTH, subsequent_indent=indent and f"{indent}  ", break_long_words=False) or [""]
    return "\n".join(lines)
