"""A report is one page that loads nothing, runs nothing, escapes everything and tells what the databases say."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairframe.core.ids import new_id
from fairframe.core.money import MICRO, parse_money
from fairframe.core.usage_report_body import ItemUse, UsageReport
from fairframe.flows import opt_out, report_charts, report_loop, report_words
from fairframe.flows.impact import impact
from fairframe.flows.report import demo_report, report
from fairframe.flows.report_demo import blocked_words
from fairframe.flows.report_films import MEASURES, film_table
from fairframe.flows.report_lab import curves_of, read_json
from fairframe.flows.report_money import money_of
from fairframe.flows.report_score import scored
from fairframe.library import assets, contributors
from fairframe.library.assets import Opened
from fairframe.library.metadata import Described
from fairframe.platform.workspace import Workspace, create_workspace
from fairframe.rights.clearance import CODES
from fairframe.royalties import allocate, corrections, revenue
from fairframe.training import reported

from ..dataset.conftest import PEOPLE, Film, Loop, at_lab, films, loop  # noqa: F401  (fixtures)

ANA, BEN, CHEN = PEOPLE
HOSTILE = '<script>alert("x")</script>\u202egnp.exe\u2066 & "quoted" \x00'
VOID = {"meta", "img", "br", "source", "rect", "path", "line", "circle"}


class Page(HTMLParser):
    """What a browser would see: tags, attributes, text; raises on tags that do not pair."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(page)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag
        self.text += " "

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data


def checked(page: str) -> Page:
    """The rules that every report keeps."""
    found = Page(page)
    names = [tag for tag, _ in found.tags]
    assert not {"script", "link", "iframe", "object", "embed", "form", "base", "use", "foreignobject"} & set(names)
    for tag, attributes in found.tags:
        for name, value in attributes.items():
            assert not name.startswith("on") and name != "style", (tag, name)
            if name in ("src", "srcset"):
                assert (value or "").startswith("data:image/"), (tag, name)
            if name in ("href", "xlink:href"):
                assert (value or "").startswith("#"), (tag, value)
        if tag == "img":
            assert "alt" in attributes
        if tag == "svg":
            assert attributes.get("aria-label") or attributes.get("aria-hidden") == "true"
    assert names.count("h1") == 1
    levels = [int(name[1]) for name in names if re.fullmatch("h[1-6]", name)]
    assert all(b <= a + 1 for a, b in pairwise(levels)), "a heading level is skipped"
    ids = [a["id"] for _, a in found.tags if "id" in a]
    assert len(ids) == len(set(ids))
    linked = {(a["href"] or "")[1:] for tag, a in found.tags if tag == "a"}
    assert linked <= set(ids)
    policy = next(a["content"] or "" for t, a in found.tags if a.get("http-equiv") == "Content-Security-Policy")
    css = page.split("<style>")[1].split("</style>")[0]
    allowed = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    assert f"'sha256-{allowed}'" in policy and "default-src 'none'" in policy and "unsafe" not in policy
    assert "url(" not in css and "@import" not in css
    for word in ("compliant", "removed"):
        assert word not in found.text.lower()
    assert not re.search(r"\bsafe\b", found.text.lower())
    return found


def add_hostile(loop: Loop, films: list[Film]) -> None:  # noqa: F811
    film = films[0]
    with loop.library.write() as tx:
        owner = contributors.ensure(tx, "Mallory <b>Bold</b>")
        described = Described(
            "evil.mp4", "", title=HOSTILE.replace("\x00", ""), description="<img src=x onerror=1>", facts={}
        )
        opened = Opened(film.content_hash, film.path.stat().st_size, film.probe, None, ())
        assets.add(tx, owner, described, opened)


def run_loop(loop: Loop) -> None:  # noqa: F811
    """Delivery, usage, money, an opt-out: all real, but for the lab's training. Goes on from the lab."""
    theirs, others = loop.items_of(ANA), loop.items_of(BEN)
    uses = tuple(ItemUse(item, n) for item, n in sorted({theirs[0]: 30, others[0]: 7}.items()))
    assert loop.delivered is not None
    said = UsageReport(
        checkpoint=new_id("ckp"),
        name="model <i>",
        weights_hash="a" * 64,
        lineage_digest="c" * 64,
        family=loop.agreement,
        delivery=loop.delivered.id,
        method="measured",
        house_frames=100,
        items=uses,
    )
    with loop.library.write() as tx:
        reported.keep(tx, loop.lab.party_id, loop.agreement, said, b"{}")
        revenue.book(tx, loop.agreement, parse_money("10000.00", "USD"), "INV-1")
    allocate.allocate(loop.library)
    loop.library.clock.advance(1000)  # type: ignore[attr-defined]
    with loop.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, ANA), "private words")


def test_a_librarys_report(loop: Loop, films: list[Film]) -> None:  # noqa: F811
    add_hostile(loop, films)
    loop.to_lab()
    run_loop(loop)
    page = report(loop.library)
    found = checked(page)
    text = " ".join(found.text.split())
    assert "<script>alert" in text, "the title is told, as text"
    assert not set("\u202e\u2066") & set(page)
    assert "Mallory <b>Bold</b>" in text
    for words in (
        "Research license",
        "8 of 8 shots",
        "the contributor has opted out",
        "10,000.00 USD",
        "yes, to the last unit",
        "Ana Rivera opted out",
        "stays earned",
        "model <i>",
    ):
        assert words in text, words
    assert "private words" not in page, "the reason for an opt-out is nobody's business"
    # four files were cleared for research before the opt-out, the hostile one was not; two are Ana's
    assert re.search(r"Files cleared, research license 4 2", text)
    assert page.count("data:image/jpeg") >= 12, "strips of shots"


@pytest.mark.usefixtures("at_lab")
def test_a_receipt_that_was_taken_back_waits_for_nothing_and_brought_nothing(loop: Loop) -> None:  # noqa: F811
    run_loop(loop)
    with loop.library.write() as tx:
        for reference in ("INV-2", "INV-3"):
            revenue.book(tx, loop.agreement, parse_money("500.00", "USD"), reference)
        corrections.correct(tx, loop.agreement, "INV-2", "private reason")
        before = {one.name: one.micro for one in money_of(tx).earners}
        assert sum(before.values()) == 2_000_00 * MICRO
    page = report(loop.library)
    text = " ".join(checked(page).text.split())
    assert "INV-2 research 500.00 USD 1/5 none booked by mistake, taken back on 28 May 2026 INV-3" in text
    assert "INV-3 research 500.00 USD 1/5 waits not split yet" in text
    assert "private reason" not in page
    allocate.allocate(loop.library)
    with loop.library.write() as tx:
        corrections.correct(tx, loop.agreement, "INV-3", "typed the wrong amount")
    with loop.library.read() as tx:
        money = money_of(tx)
        asked = [impact(tx, contributors.find(tx, name)).money for name in PEOPLE]
    assert {one.name: one.micro for one in money.earners} == before
    assert [one.stays_micro for one in money.events] == [2_000_00 * MICRO, 0, 0]
    owed = {one.name: one.amount_micro for one in money.position.accounts if one.account.startswith("contributor:")}
    assert owed == before == {name: one[0].earned_micro for name, one in zip(PEOPLE, asked, strict=True)}
    text = " ".join(checked(report(loop.library)).text.split())
    assert "INV-3 research 500.00 USD 1/5 none booked by mistake" in text
    assert "with the 100.00 USD that contributors had got from it" in text
    assert "not split yet" not in text


@pytest.mark.usefixtures("at_lab")
def test_a_labs_report(loop: Loop) -> None:  # noqa: F811
    run_loop(loop)
    found = checked(report(loop.lab))
    text = " ".join(found.text.split())
    assert "squares open 8 8" in text
    assert "Not yet: no model was trained." in text


def test_empty_workspaces(library: Workspace, lab: Workspace) -> None:
    assert "Not yet" in checked(report(library)).text
    assert "Not yet" in checked(report(lab)).text


def test_a_demo_that_has_not_begun(tmp_path: Path) -> None:
    found = checked(demo_report(tmp_path))
    assert found.text.count("Not yet") >= 8


def test_a_demo_with_broken_notes(tmp_path: Path) -> None:
    for role in ("library", "lab"):
        create_workspace(tmp_path / role, role, f"The {role}").close()
    (tmp_path / "exchange").mkdir()
    for name, text in {
        "costs": '{"steps": [1, {"title": "<b>", "wall_s": "x"},'
        '{"title": "<u>Ink", "wall_s": 1, "cpu_s": 2, "peak_bytes": 3}]}',
        "films": "[1, 2",
        "prove": '{"film<script>": {"holds": true, "checks": "many"}, "b": 3}',
        "upgrade": '{"blocked": "no list"}',
        "given": "{}",
    }.items():
        (tmp_path / "exchange" / f"{name}.notes.json").write_text(text)
    (tmp_path / "film.mp4").write_bytes(b"no film")
    found = checked(demo_report(tmp_path))
    assert "<u>Ink" in found.text
    assert "film<script>" in found.text


def test_every_finding_has_plain_words() -> None:
    from fairframe.curation.filters import FAMILIES

    missing = [code for code in CODES if code not in report_words.WHY]
    missing += [code for family in FAMILIES for code in family.codes if code not in report_words.WHY]
    assert not missing
    assert report_words.why("media.too_<b>") == "media: too <b>"


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        (report_words.money(1_234_567_89_999_999, "USD"), "1,234,567.89 USD"),
        (report_words.money(-5_000_000, "USD"), "-0.05 USD"),
        (report_words.minor(1500, "JPY"), "1,500 JPY"),
        (report_words.duration(4_200), "4.2 s"),
        (report_words.duration(200_000), "3 min 20 s"),
        (report_words.duration(7_500_000), "2 h 05 min"),
        (report_words.size(4_200_000), "4.2 MB"),
        (report_words.percent(1, 8), "12.5 %"),
        (report_words.percent(1, 0), "–"),
        (report_words.of(1, "clip"), "1 clip"),
        (report_words.moment(1_780_000_000_000), "28 May 2026, 20:26 UTC"),
        (report_words.short("abcdef0123456789ffff"), "abcd ef01 2345 6789 …"),
        (report_words.clean("a\u202eb\n  c" + "x" * 300, 10), "a\ufffdb cxxxx…"),
    ],
)
def test_numbers_in_words(given_: str, shown: str) -> None:
    assert given_ == shown


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), max_size=700), st.text(max_size=40))
def test_charts_are_whole_for_any_values(values: list[float], title: str) -> None:
    series = [report_charts.Series("loss", values)]
    drawn = report_charts.lines(series, title=title, x_words="steps") + report_charts.gains(values, title=title)
    drawn += report_charts.bar(values[0] if values else 0, 10)
    assert not re.search(r'="[^"]*\b(nan|inf)\b', re.sub(r'aria-label="[^"]*"', "", drawn))
    Page(f"<p>{drawn}</p>")


def test_a_line_chart_keeps_a_spike_and_drops_what_is_no_number() -> None:
    bins = report_charts.thinned([1.0] * 999 + [50.0], 10)
    assert len(bins) == 10
    assert bins[-1][3] == 50.0
    assert bins[0][1:] == (1.0, 1.0, 1.0)
    assert report_charts.thinned([float("nan")] * 5) == []
    assert report_charts.lines([], title="", x_words="") == ""


def test_bars_fill_in_proportion() -> None:
    assert 'width="25"' in report_charts.bar(1, 4)
    assert 'class="own" width="0"' in report_charts.bar(0, 4)
    assert 'class="own" width="0"' in report_charts.bar(0, 0)
    assert 'x="75" width="25"' in report_charts.stack([("own", 3), ("stop", 1)])


def test_the_loop_has_ten_stations() -> None:
    ring = [report_loop.Station(f"<{n}>", str(n), "clips") for n in range(10)]
    for draw in (report_loop.wide, report_loop.tall):
        picture = draw(ring, "sent <b>", "back")
        assert "&lt;9&gt;" in picture and "<b>" not in picture
        Page(f"<p>{picture}</p>")
        with pytest.raises(ValueError, match=r"has 10 stations"):
            draw(ring[:9], "", "")


RESULT = {
    "heldout_clips": 8,
    "model": {
        "vae": {"clips": 8, "psnr": 26.2, "psnr_bicubic": 25.2, "psnr_constant": 15.0, "wins": 7}
        | {"ssim": 0.8, "ssim_bicubic": 0.85, "ssim_constant": 0.4, "best": "vae"},
        "extension": {"windows": 3, "prefix": 9, "psnr": 18.3, "psnr_repeat": 20.6, "wins": 1, "gain": -2.3}
        | {"gains": [1.0, -2.0, -5.9]},
        "captions": {"windows": 8, "right": 1.0, "shuffled": 1.01, "gain": 0.01, "low": -0.002, "high": 0.03},
    },
    "base": {"extension": {"psnr": 17.0}},
}


def test_an_evaluation_says_where_it_lost() -> None:
    found = scored(RESULT)
    assert found is not None
    assert [row.verdict for row in found.rows] == ["better", "worse", "better", "worse", "better", "unclear"]
    lost = " ".join(found.lost)
    assert "18.3 dB, where repeating the last frame has 20.6 dB" in lost
    assert "In 2 of 3 held-out windows" in lost
    assert scored(None) is None
    assert scored({"model": {"vae": 1}}) is None


def test_files_are_read_with_limits(tmp_path: Path) -> None:
    path = tmp_path / "curves.json"
    path.write_text(json.dumps({"vae": [1, 0.5, "x", None], "<b>": "no", "flow": []}))
    assert curves_of(path) == {"vae": [1.0, 0.5]}
    assert read_json(path, most=5) is None
    path.write_text("[" * 100_000)
    assert read_json(path) is None
    assert curves_of(tmp_path / "none.json") == {}


def test_what_blocked_an_upgrade_in_words() -> None:
    reasons = ["ast_1: no_consent", "ast_2: no_consent, editorial", "its ancestor <x> was not reported"]
    assert blocked_words(reasons) == (
        (2, report_words.WHY["no_consent"]),
        (1, "editorial footage"),
        (1, "its ancestor <x> was not reported"),
    )


def test_films_stand_beside_real_clips_in_words() -> None:
    def score(flow: float) -> dict[str, object]:
        ranged = {"value": flow, "low": 0.5, "median": 1.0, "high": 2.0}
        return {"real_clips": 3, "training_clips": 9, "size": 64, "measures": {"flow": ranged, "nearest": {"value": 7}}}

    made = [{"film": f"{n}<b>.mp4", "score": score(flow)} for n, flow in enumerate((0.1, 1.0, 3.0))]
    table = film_table([*made, {"film": "", "mode": "refused"}, {"film": "x", "score": {"measures": {"flow": "<b>"}}}])
    assert table is not None
    flow, nearest = table.lines
    assert [cell.words if cell else None for cell in flow.cells] == [
        "less than any real clip",
        "",
        "more than any real clip",
        None,
    ]
    assert flow.cells[0] and (flow.cells[0].value, flow.cells[0].real) == ("0.10", "0.50 to 2.00")
    assert nearest.cells[0] and (nearest.cells[0].real, nearest.cells[0].words) == ("", "")
    assert (table.outside, table.values) == (2, 6)
    assert film_table([{"film": "x"}, {"film": "y", "score": {"measures": []}}]) is None


def test_a_demos_report_has_the_films_table(tmp_path: Path) -> None:
    create_workspace(tmp_path / "lab", "lab", "The lab").close()
    (tmp_path / "exchange").mkdir()
    ranged = {"value": 9, "low": 1, "median": 2, "high": 3}
    score = {"real_clips": 3, "training_clips": 1, "size": 64, "measures": dict.fromkeys(MEASURES, ranged)}
    note = {"films": [{"film": "<i>.mp4", "mode": "text", "score": score}]}
    (tmp_path / "exchange" / "films.notes.json").write_text(json.dumps(note))
    text = " ".join(checked(demo_report(tmp_path)).text.split())
    assert "<i>.mp4" in text
    assert "0 of 10 values lie within the range of 3 real clips" in text
    assert text.count("more than any real clip") == len(MEASURES)
