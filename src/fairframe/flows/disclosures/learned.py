"""What training learned from the outputs of other models: teachers and captioners among the ancestors."""

from fairframe.flows.disclosures.sheet import Sheet, outside


def made_by_models(sheet: Sheet) -> str:
    """A sentence on synthetic data that models made."""
    teachers, captioners = _names(sheet, "teacher"), _names(sheet, "captioner")
    said = [f"outputs of {one} were learned from (distillation)" for one in teachers]
    said += [f"captions for training were written by {one}" for one in captioners]
    return f"By models {sheet.cite('ancestors')}: {'; '.join(said) or 'none'}."


def captions_by(sheet: Sheet) -> str:
    """A sentence on captions that models wrote, or nothing."""
    names = _names(sheet, "captioner")
    return f"Captions were also written by {', '.join(names)} {sheet.cite('ancestors')}." if names else ""


def _names(sheet: Sheet, role: str) -> list[str]:
    return [outside(name) for name, _kind, as_what, *_ in sheet.lines("ancestors") if as_what == role]
