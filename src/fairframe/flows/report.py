"""A workspace, or a whole demo, as one HTML page: no script, nothing loaded from elsewhere, prints on paper.

What is told is read from the databases when the page is made. The style sheet is allowed by its hash and no element
carries a style of its own, so text from outside cannot bring one in even if an escape were missed.
"""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from fairframe import __version__
from fairframe.core.time import now_ms
from fairframe.flows import report_charts as charts
from fairframe.flows import report_demo, report_loop, report_words
from fairframe.flows.report_agreements import who_of
from fairframe.flows.report_lab import models_of, read_lab
from fairframe.flows.report_library import clearances_of, read_library
from fairframe.flows.report_money import Money, money_of, opt_outs_of
from fairframe.flows.report_score import scored
from fairframe.flows.report_stations import stations
from fairframe.platform.workspace import Workspace

if TYPE_CHECKING:
    from jinja2 import Environment


def report(ws: Workspace) -> str:
    """One workspace as an HTML page: a library's or a lab's side."""
    with ws.read() as tx:
        who = who_of(tx)
    made = report_words.moment(ws.clock())
    page: dict[str, Any] = {"who": who, "made": made, "title": f"{who.name}: report"}
    if ws.role == "library":
        return render_page("report_library.html.j2", **page, **_library_side(ws))
    return render_page("report_lab.html.j2", **page, lab=read_lab(ws))


def demo_report(root: Path) -> str:
    """The demo in `root`: both workspaces, the films, and what the stages noted. What is missing is "not yet"."""
    library, lab = report_demo.open_party(root / "library"), report_demo.open_party(root / "lab")
    try:
        ours: dict[str, Any] = {"library": None, "money": None, "opt_outs": (), "before": (), "after": ()}
        theirs = read_lab(lab) if lab is not None else None
        heads: list[Any] = []
        for ws in (library, lab):
            if ws is not None:
                with ws.read() as tx:
                    heads.append(who_of(tx))
        if library is not None:
            ours = _library_side(library)
        story = report_demo.read_story(root, lab, theirs.films if theirs is not None else ())
        ring = stations(ours["library"], theirs, ours["money"], ours["opt_outs"], story)
        sent, back = "signed delivery, lease, feed", "signed usage report, attestation"
        return render_page(
            "report_demo.html.j2",
            **ours,
            title="Fairframe: the demo",
            made=report_words.moment(now_ms()),
            lab=theirs,
            whos=heads,
            story=story,
            loop_wide=report_loop.wide(ring, sent, back),
            loop_tall=report_loop.tall(ring, sent, back),
        )
    finally:
        for ws in (library, lab):
            if ws is not None:
                ws.close()


def _library_side(ws: Workspace) -> dict[str, Any]:
    library = read_library(ws)
    with ws.read() as tx:
        money: Money = money_of(tx)
        opt_outs = opt_outs_of(tx)
        reported = models_of(tx, "reported")
    before = clearances_of(ws, library.deals, opt_outs[0].at_ms - 1) if opt_outs else ()
    return {
        "library": library,
        "money": money,
        "opt_outs": opt_outs,
        "reported": reported,
        "before": before,
        "after": library.clearances,
    }


def render_page(template: str, **values: Any) -> str:
    css = _css()
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    page = _environment().get_template(template)
    return page.render(css=Markup(css), policy=Markup(policy), version=__version__, **values)  # noqa: S704 - our own


@cache
def _css() -> str:
    """Our own text; it must not be able to end its element."""
    css = files("fairframe.flows").joinpath("templates/report.css.j2").read_text("utf-8")
    assert "<" not in css
    return css


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("fairframe.flows")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    names = "why state clean count of duration size memory minor percent day moment age short GATES REMEDIES EVENTS"
    told: dict[str, Any] = {name: getattr(report_words, name) for name in names.split()}
    told |= {name: getattr(charts, name) for name in ("bar", "stack", "lines", "gains", "interval", "Series")}
    told |= {"scored": scored, "money_words": report_words.money}
    made.globals.update(told)
    return made
