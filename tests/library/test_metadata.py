"""The metadata CSV: what its cells mean, and what a hostile one gets."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.errors import InputError
from fairframe.library import table_file
from fairframe.library.metadata import COLUMNS, Metadata, read_metadata

HEADER = ",".join(COLUMNS)


def line(filename: str = "a.mp4", contributor: str = "Ana", **cells: str) -> str:
    values = {"filename": filename, "contributor": contributor, **cells}
    return ",".join('"' + values.get(name, "").replace('"', '""') + '"' for name in COLUMNS)


@pytest.fixture
def csv(tmp_path: Path):
    def write(*lines: str, header: str = HEADER) -> Path:
        path = tmp_path / "metadata.csv"
        path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
        return path

    return write


def refused(path: Path, **options: bool) -> InputError:
    with pytest.raises(InputError) as caught:
        read_metadata(path, **options)
    return caught.value


def only_bad(metadata: Metadata, name: str) -> str:
    assert set(metadata.bad) == {name}
    assert metadata.bad[name].code == "input.bad_row"
    return str(metadata.bad[name])


def test_a_line_says_everything_about_a_file(csv):
    path = csv(
        line(
            "sea/waves.mp4",
            "Ana  Duarte",
            title=" Waves ",
            description="Waves, at dusk\nseen from a pier",
            keywords="sea; dusk,water;sea;",
            people="No",
            model_release="not needed",
            property_release="RELEASED",
            editorial="no",
            source="camera 3",
            source_license="own",
        )
    )
    found = read_metadata(path).good["sea/waves.mp4"]
    assert found.contributor == "Ana Duarte"
    assert found.title == "Waves"
    assert found.description == "Waves, at dusk\nseen from a pier"
    assert found.keywords == ("sea", "dusk", "water")
    assert (found.source, found.source_license) == ("camera 3", "own")
    assert found.facts == {
        "people": "no",
        "model_release": "not needed",
        "property_release": "released",
        "editorial": "no",
    }


@pytest.mark.parametrize(
    ("cell", "fact"),
    [
        ("released", "released"),
        ("yes", "released"),
        ("no", "not released"),
        ("Not Released", "not released"),
        ("not needed", "not needed"),
        ("unknown", "unknown"),
        ("", "unknown"),
        ("  ", "unknown"),
    ],
)
def test_what_a_release_cell_says(csv, cell, fact):
    path = csv(line(model_release=cell, property_release=cell))
    facts = read_metadata(path).good["a.mp4"].facts
    assert facts["model_release"] == facts["property_release"] == fact


def test_a_value_that_means_nothing_refuses_that_file_only(csv):
    metadata = read_metadata(csv(line("a.mp4", people="perhaps"), line("b.mp4", people="no")))
    assert set(metadata.good) == {"b.mp4"}
    assert only_bad(metadata, "a.mp4") == (
        "people cannot be 'perhaps' (metadata.csv, line 2). Say one of: yes, no, unknown; or leave it blank."
    )


def test_extra_columns_are_kept_as_text(csv):
    path = csv(line() + ',"=HYPERLINK(""http://x"")",@sum(a1)', header=HEADER + ",Camera,Shelf mark")
    extra = read_metadata(path).good["a.mp4"].extra
    assert extra == {"Camera": '=HYPERLINK("http://x")', "Shelf mark": "@sum(a1)"}


def test_formulas_stay_text(csv):
    found = read_metadata(csv(line(title="=1+1", description="+cmd|' /C calc'!A0", keywords="-2;@x")))
    assert found.good["a.mp4"].title == "=1+1"
    assert found.good["a.mp4"].description == "+cmd|' /C calc'!A0"
    assert found.good["a.mp4"].keywords == ("-2", "@x")


def test_columns_may_stand_in_any_order_and_case_and_descriptive_ones_may_be_missing(csv):
    path = csv("no,,, no ,b.mp4,Bo", header="People,MODEL_RELEASE,property_release,editorial, Filename ,contributor")
    found = read_metadata(path).good["b.mp4"]
    assert (found.contributor, found.title, found.keywords) == ("Bo", "", ())
    assert found.facts["people"] == "no"


def test_one_contributor_for_all_needs_no_column(csv):
    header = "filename,people,model_release,property_release,editorial"
    assert "column contributor" in str(refused(csv("a.mp4,no,,,no", header=header)))
    assert read_metadata(csv("a.mp4,no,,,no", header=header), contributor_given=True).good["a.mp4"].contributor == ""


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (HEADER.replace("model_release", "model_relase"), "Did you mean model_release where the header says"),
        (HEADER.replace("people,", ""), "no column people (metadata.csv, line 1). Add it"),
        (HEADER.replace(",", ";"), "Separate the columns with commas"),
        (HEADER + ",", "column 13 has no usable name"),
        (HEADER + ",title", "the column title is there twice"),
        (HEADER + "".join(f",c{n}" for n in range(300)), "it has 312 columns"),
    ],
)
def test_a_bad_header_refuses_the_file_with_a_remedy(csv, header, words):
    error = refused(csv(line(), header=header))
    assert error.code == "input.bad_csv"
    assert words in str(error)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (HEADER.encode() + b"\na.mp4,\xff\xe9", "byte 0xff is not UTF-8 (metadata.csv, line 2). Save it as CSV UTF-8"),
        (HEADER.encode("utf-16"), "it is UTF-16"),
        (HEADER.encode() + b"\n\na\x00.mp4", "there is a NUL byte (metadata.csv, line 3)"),
        (HEADER.encode() + b'\n"a.mp4,Ana\nb.mp4', "a quote is not closed (metadata.csv, line 2)"),
        (HEADER.encode() + b"\na.mp4," + b"x" * 120_000, "a cell is over 100,000 characters (metadata.csv, line 2)"),
        (HEADER.encode() + b"\na.mp4," + b"x" * 140_000, "a cell is over 131,072 characters (metadata.csv, line 2)"),
        (b"PK\x03\x04zip", "it is a spreadsheet"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(tmp_path, data, words):
    path = tmp_path / "metadata.csv"
    path.write_bytes(data)
    assert words in str(refused(path))


def test_an_oversized_file_is_refused_before_it_is_parsed(csv, monkeypatch):
    monkeypatch.setattr(table_file, "MAX_BYTES", 1024 * 1024)
    assert "it is over 1 MiB" in str(refused(csv(*(line(f"{n}.mp4", title="x" * 900) for n in range(1300)))))


def test_a_missing_file_and_a_folder(tmp_path):
    assert "cannot be read: No such file" in str(refused(tmp_path / "none.csv"))
    assert "not a regular file" in str(refused(tmp_path))


@pytest.mark.parametrize(
    "name", ["../a.mp4", "/etc/passwd.mp4", "a/../../b.mp4", "..\\a.mp4", "C:/a.mp4", "C:a.mp4", ".."]
)
def test_names_that_leave_the_folder_are_refused(csv, name):
    metadata = read_metadata(csv(line(name), line("ok.mp4")))
    assert set(metadata.good) == {"ok.mp4"} and not metadata.bad
    ((where, error),) = metadata.loose
    assert where == "line 2"
    assert "leaves the folder (metadata.csv, line 2)" in str(error) or "is blank" in str(error)


def test_a_file_described_twice_is_refused_whatever_the_lines_say(csv):
    metadata = read_metadata(csv(line("a.mp4", "Ana"), line("b.mp4"), line("./a.mp4", "Bo")))
    assert set(metadata.good) == {"b.mp4"}
    assert (
        only_bad(metadata, "a.mp4")
        == "a.mp4 is described on line 2 too (metadata.csv, line 4). Keep one line per file."
    )


def test_a_third_line_does_not_bring_a_file_back(csv):
    metadata = read_metadata(csv(line("a.mp4", people="x"), line("a.mp4"), line("a.mp4")))
    assert not metadata.good


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ("a.mp4,Ana,t", "3 cells for 12 columns"),
        (line() + ",more", "13 cells for 12 columns"),
        (line(title="bell\a"), "title has a control character"),
        (line(title="\x1b[31mred"), "title has a control character"),
        (line(title="x" * 501), "title has 501 characters"),
        (line(contributor="x" * 201), "is not a contributor's name (metadata.csv, line 2)"),
        (line(keywords=";".join(map(str, range(201)))), "201 keywords"),
    ],
)
def test_a_bad_line_names_itself(csv, cells, words):
    text = only_bad(read_metadata(csv(cells)), "a.mp4")
    assert words in text and "metadata.csv, line 2" in text


def test_the_same_name_in_another_normal_form_is_the_same_file(csv):
    metadata = read_metadata(csv(line("cafe\u0301.mp4"), line("caf\u00e9.mp4")))
    assert not metadata.good and set(metadata.bad) == {"caf\u00e9.mp4"}


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_one_line(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("csv") / "metadata.csv"
    path.write_bytes(HEADER.encode() + b"\n" + data)
    try:
        metadata = read_metadata(path)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert all(".." not in name.split("/") and not name.startswith("/") for name in metadata.good)


def test_collections_are_names_of_their_own(csv):
    long = ";".join(f"c{number}" for number in range(21))
    found = read_metadata(
        csv(line("a.mp4", collection=" Sea ;; Sea;North  shore"), line("b.mp4", collection="x" * 201)),
    )
    assert found.good["a.mp4"].collections == ("Sea", "North shore") and not found.good["a.mp4"].extra
    assert "is no name" in only_bad(found, "b.mp4")
    assert "Keep 20 at most" in only_bad(read_metadata(csv(line(collection=long))), "a.mp4")
