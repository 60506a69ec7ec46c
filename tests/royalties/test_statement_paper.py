"""A statement on paper: the same bytes again, both languages, names of any script and length, many pages."""

import hashlib
import re
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from fairframe.core.errors import InputError
from fairframe.royalties import allocate, closing, payout_steps, payouts, statements
from fairframe.royalties.paper.chart import Bar, ordered
from fairframe.royalties.paper.faces import lacking
from fairframe.royalties.paper.paragraph import broken, words_of
from fairframe.royalties.paper.render import render_pdf
from fairframe.royalties.paper.sheet import BOTTOM, FEW, MARGIN, PAGE, Sheet
from fairframe.royalties.paper.text import clean, line
from fairframe.royalties.paper.words import ARABIC, ENGLISH, WORDS
from fairframe.royalties.statement_payouts import standings

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NAME = "ليلى Ada"


def issued(world: Any, clips: int, name: str = "ann") -> statements.Statement:
    """A statement over one deal with so many clips."""
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, [(f"{name}-{n}", 0, 1_000 + 7 * n) for n in range(clips)] + [("bob-0", 0, 5_000)])
        world.book(tx, deal, "1234.56", "INV-1")
    allocate.allocate(world.ws)
    with world.ws.write() as tx:
        closing.close(tx, tx.now_ms + 1)
    with world.ws.write() as tx:
        return statements.statement(tx, world.contributors[name])


def content(pdf: bytes) -> str:
    """What the pages draw."""
    found = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    texts = [zlib.decompressobj().decompress(one) for one in found if one[:1] == b"\x78"]
    return b"\n".join(one for one in texts if b" Tf " in one).decode("latin-1")


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def said(text: str) -> str:
    """How a text is put beside glyphs that do not say it themselves."""
    return f"<FEFF{text.encode('utf-16-be').hex().upper()}>"


@on_sqlite
def test_the_same_statement_gives_the_same_bytes_in_any_order_and_process(world: Any, tmp_path: Path) -> None:
    made = issued(world, 3, NAME)
    english, arabic = render_pdf(made, "en"), render_pdf(made, "ar")
    assert english != arabic
    assert (render_pdf(made, "ar"), render_pdf(made, "en")) == (arabic, english)
    path = tmp_path / "statement.json"
    path.write_bytes(made.envelope)
    code = (
        "import sys, hashlib, pathlib; from fairframe.royalties import statements;"
        "from fairframe.royalties.paper.render import render_pdf;"
        "made = statements.read(pathlib.Path(sys.argv[1]).read_bytes());"
        "print(hashlib.sha256(render_pdf(made, 'ar')).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hashlib.sha256(arabic).hexdigest()


@on_sqlite
def test_a_name_in_two_scripts_is_drawn_run_by_run_and_can_be_read_out(world: Any) -> None:
    """In Arabic the page begins at the right edge; what is shaped carries its text, so that it can be searched."""
    drawn = content(render_pdf(issued(world, 1, NAME), "ar"))
    assert said("كشف العوائد") in drawn
    at = drawn.index(said("ليلى "))
    x = float(re.compile(r"1 0 0 1 ([0-9.]+) ").search(drawn, at)[1])  # type: ignore[index]
    assert PAGE[0] / 2 < x < PAGE[0] - MARGIN
    assert drawn.count("BDC") == drawn.count("EMC") > 20


@on_sqlite
def test_three_clips_are_a_page_and_three_hundred_are_several(world: Any) -> None:
    few = issued(world, 3)
    assert pages(render_pdf(few)) == 1
    one = few.body["allocations"][0]
    one["assets"] = [one["assets"][n % 3] | {"asset": f"ast_{n:026d}"} for n in range(300)]
    for language in WORDS:
        assert 5 <= pages(render_pdf(few, language)) <= 12


@on_sqlite
def test_names_of_any_length_and_script(world: Any) -> None:
    made = issued(world, 3)
    for name in ("x" * 5_000, "ن" * 5_000, "", "a\u202eb", "漢字", "e\u0301" * 99, "\U0001f600\ue000\ufffe"):
        made.body["contributor"]["name"] = made.body["library"]["name"] = name
        for clip in made.body["allocations"][0]["assets"]:
            clip["title"] = clip["filename"] = name
        for language in WORDS:
            assert pages(render_pdf(made, language)) <= 3


def test_what_steers_direction_is_taken_out_of_names() -> None:
    assert clean(" a\u202e\u2066b\u200f\n c\x00") == "a" + "b c"


def test_the_fonts_have_every_letter_of_our_words() -> None:
    for words in (ENGLISH, ARABIC):
        maps = (words.text, words.purposes, words.units, words.kinds, words.states)
        for text in (*words.months, *(value for one in maps for value in one.values())):
            assert not lacking(clean(text)), text
    assert not lacking("0123456789.,-×÷%…·Łódź Ελένη Дмитро Nguyễn ليلى")
    assert lacking("漢字") and lacking("שלום") and lacking("देव")


def test_both_languages_say_the_same_things() -> None:
    assert ENGLISH.text.keys() == ARABIC.text.keys() and ENGLISH.states.keys() == ARABIC.states.keys()
    for key, text in ENGLISH.text.items():
        fields = set(re.findall(r"{\w+}", text))
        assert fields == set(re.findall(r"{\w+}", ARABIC[key])), key


def test_bidirectional_order_and_shaping() -> None:
    """Runs from left to right: in a right to left line, what is read first is last."""
    mixed = line("من Lab 12.50", right=True)
    assert next(run.said or run.glyphs for run in mixed.runs) == "Lab 12.50"
    assert line("سلام").runs[0].said == "سلام" and line("سلام").width < sum(line(one).width for one in "سلام")
    assert line("a.b").runs[0].said == ""
    assert line(". بقي", right=True).runs[-1].glyphs == " .", "the point is next to what is read before it"


def test_no_word_is_torn_from_the_point_behind_it() -> None:
    for width in range(4, 40):
        lines = list(broken(list(words_of("{a}.", {"a": "word " * 40})), width, False))
        assert [one[0].text for one in lines] == ["word"] * len(lines)


@on_sqlite
def test_other_languages_are_refused(world: Any) -> None:
    with pytest.raises(InputError, match="not written in"):
        render_pdf(issued(world, 1), "fr")


def test_bars_of_one_name_are_told_apart_and_others_need_no_mark() -> None:
    bars = [Bar("North Lab", 5, "agr_1"), Bar("South Lab", 9, "agr_2"), Bar("North Lab", -7, "agr_3")]
    assert ordered(bars) == [Bar("South Lab", 9), Bar("North Lab", 5, "agr_1"), Bar("North Lab", -7, "agr_3")]


@pytest.mark.parametrize("count", [*range(12), 60, 61, 62, 63, 200])
@pytest.mark.parametrize("below", [0.0, 20.0, 45.0, 58.0, 300.0])
def test_no_heading_or_last_row_of_a_table_stands_alone(count: int, below: float) -> None:
    """below: points that are left on the page where the table begins."""
    sheet = Sheet(ENGLISH, "A table", "A library")
    sheet.y = BOTTOM + below
    pages: list[range] = []
    for page in sheet.rows(count, 13.5, 17.5):
        assert sheet.y - 17.5 - 13.5 * len(page) >= BOTTOM
        pages.append(page)
        sheet.y -= 17.5 + 13.5 * len(page)
    assert [at for page in pages for at in page] == [*range(count)]
    assert all(len(page) >= min(count, FEW) for page in pages)
    assert len(pages) <= 1 or count >= 2 * FEW


@on_sqlite
def test_a_payout_is_one_row_with_what_all_its_steps_took(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, [("ann-1", 0, 1_000)])
        world.book(tx, deal, "100.00", "INV-1")
    allocate.allocate(world.ws)
    with world.ws.write() as tx:
        first = payouts.pay(tx, world.contributors["ann"], "PAY-1")
        payout_steps.give_back(tx, first.id, "closed")
    with world.ws.write() as tx:
        payouts.pay(tx, world.contributors["ann"], "PAY-2")
    with world.ws.read() as tx:
        body = statements.draft(tx, world.contributors["ann"])
    assert [len(one["steps"]) for one in body["payouts"]] == [4, 3]
    told = [(one.reference, one.state, one.paid_minor, one.withheld_minor) for one in standings(body)]
    assert told == [("PAY-1", "returned", 0, 0), ("PAY-2", "settled", 2000, 0)]


@on_sqlite
def test_clips_without_a_part_are_counted_and_not_listed(world: Any) -> None:
    made = issued(world, 3)
    few = render_pdf(made, "en")
    one = made.body["allocations"][0]
    for at in range(40):
        one["assets"].append(one["assets"][0] | {"asset": f"ast_{at}", "weight": "0", "amount_micro": "0"})
    many = render_pdf(made, "en")
    assert pages(many) == pages(few)
    more = content(many).count(" Tj") - content(few).count(" Tj")
    assert 0 < more < 40, "forty rows would be forty titles, file names, weights and amounts"
