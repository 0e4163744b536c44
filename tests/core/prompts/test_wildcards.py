"""What is read from the operator's folder, what is not, and how it is found again."""

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.prompts import wildcards as module
from core.prompts.wildcards import Wildcards, _matches
from tests.core.prompts.folders import NONE, shelf, write


def values(wildcards: Wildcards, name: str) -> list[str] | None:
    found = wildcards.find(name)
    return None if found is None else [found[number] for number in range(len(found))]


def test_a_file_has_one_value_a_line(tmp_path: Path) -> None:
    (tmp_path / "colours.txt").write_bytes("\ufeff# warm\r\nred \r\n\r\n  # cold\n\tgrün\n🦊 fox".encode())
    wildcards = shelf(tmp_path)
    assert values(wildcards, "colours") == ["red", "grün", "🦊 fox"]


def test_names_are_paths_without_suffix_in_any_case_and_either_form(tmp_path: Path) -> None:
    wildcards = shelf(tmp_path, Colours__Warm="red", café="noir", zebra="z")
    assert wildcards.names == ("café", "colours/warm", "zebra")
    assert values(wildcards, "COLOURS/warm") == ["red"]
    assert values(wildcards, "CAFÉ") == values(wildcards, "cafe\u0301") == ["noir"]
    assert wildcards.find("warm") is wildcards.find("colours") is None


def test_a_glob_is_all_that_match_in_the_order_of_their_names(tmp_path: Path) -> None:
    files = {"colours__warm": "red\norange", "colours__cold": "blue", "colours__more__odd": "puce", "size": "big"}
    wildcards = shelf(tmp_path, **files)
    assert values(wildcards, "Colours/*") == ["blue", "puce", "red", "orange"]
    assert values(wildcards, "*o*d*") == ["blue", "puce"]
    assert values(wildcards, "**") == ["blue", "puce", "red", "orange", "big"]
    assert values(wildcards, "c*s*cold") == ["blue"]
    assert wildcards.find("si*z*ze") is wildcards.find("size*e*") is None
    assert wildcards.find("colours/x*") is wildcards.find("size*size") is None


def test_a_glob_sees_what_a_refresh_found(tmp_path: Path) -> None:
    wildcards = shelf(tmp_path, colours__warm="red")
    assert values(wildcards, "colours/*") == ["red"]
    write(tmp_path, colours__cold="blue")
    assert values(wildcards, "colours/*") == ["red"]
    assert wildcards.refresh() == 2
    assert values(wildcards, "colours/*") == ["blue", "red"]


def test_a_folder_is_read_again_only_where_it_changed(tmp_path: Path) -> None:
    wildcards = shelf(tmp_path, colours="red", size="big")
    assert not wildcards.refresh_if_changed()
    write(tmp_path, animals__tame="dog")
    assert wildcards.refresh_if_changed()
    assert values(wildcards, "animals/tame") == ["dog"]
    os.utime(write(tmp_path, colours="tan") / "colours.txt", (1, 1))
    assert wildcards.refresh_if_changed()
    assert values(wildcards, "colours") == ["tan"]
    (tmp_path / "size.txt").rename(tmp_path / "sizes.txt")
    assert wildcards.refresh_if_changed()
    assert wildcards.names == ("animals/tame", "colours", "sizes")
    (tmp_path / "notes.md").write_text("no wildcard", "utf-8")
    assert not wildcards.refresh_if_changed()
    assert not NONE.refresh_if_changed()


def test_a_folder_that_comes_later_is_found(tmp_path: Path) -> None:
    wildcards = Wildcards(tmp_path / "later")
    assert wildcards.refresh() == 0
    assert not wildcards.refresh_if_changed()
    write(tmp_path / "later", colours="red")
    assert wildcards.refresh_if_changed()
    assert wildcards.names == ("colours",)
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert Wildcards(tmp_path / "circle").refresh() == 0


def test_a_json_list_is_a_wildcard(tmp_path: Path) -> None:
    body = ["big", 3, " ", "two\nlines", None, ["x"], True, "#small"]
    (tmp_path / "sizes.json").write_text(json.dumps(body), "utf-8")
    assert values(shelf(tmp_path), "sizes") == ["big", "3", "two\nlines", "#small"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("binary.txt", b"\xff\xfe\x00"),
        ("empty.txt", b"# nothing\n\n"),
        ("object.json", b'{"a": ["b"]}'),
        ("broken.json", b'["a"'),
        ("deep.json", b"[" * 100_000),
        ("@everyone.txt", b"a"),
        ("a__b.txt", b"a"),
        ("_a.txt", b"a"),
        ("a*b.txt", b"a"),
        ("huge.txt", b"a" * 2000),
    ],
)
def test_what_can_not_be_a_wildcard_is_skipped_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes
) -> None:
    monkeypatch.setattr(module, "FILE_BYTES", 1999 if name == "huge.txt" else 10**6)
    (tmp_path / name).write_bytes(data)
    assert shelf(tmp_path, good="a").names == ("good",)
    assert name in caplog.text


def test_other_files_and_hidden_ones_are_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("picture.png", ".hidden.txt", ".git/objects.txt", "colours.txt.bak"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a", "utf-8")
    assert shelf(tmp_path, good="a").names == ("good",)
    assert "skipped" not in caplog.text


def test_a_link_that_leads_out_of_the_folder_is_never_followed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outside = write(tmp_path / "outside", secret="token", folder__secret="token")
    inside = write(tmp_path / "inside", good="a")
    (inside / "secret.txt").symlink_to(outside / "secret.txt")
    (inside / "relative.txt").symlink_to("../outside/secret.txt")
    (inside / "folder").symlink_to(outside / "folder")
    (inside / "circle.txt").symlink_to("circle.txt")
    (inside / "gone.txt").symlink_to("nothing.txt")
    (inside / "chain.txt").symlink_to("secret.txt")
    (inside / "also.txt").symlink_to("good.txt")
    wildcards = shelf(inside)
    assert wildcards.names == ("also", "good")
    assert "token" not in caplog.text
    assert caplog.text.count("leads out") == 5


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    write(tmp_path / "real", good="a")
    (tmp_path / "link").symlink_to("real")
    assert shelf(tmp_path / "link").names == ("good",)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert shelf(tmp_path, good="a").names == ("good",)


def test_of_two_files_with_one_name_the_first_counts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.json").write_text('["json"]', "utf-8")
    assert values(shelf(tmp_path, a="text"), "a") == ["json"]
    assert "same name" in caplog.text


def test_there_is_a_bound_for_all_files_together(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOTAL_BYTES", 10)
    assert shelf(tmp_path, a="12345678", b="12345678", c="9").names == ("a", "c")
    assert "too much" in caplog.text
    monkeypatch.setattr(module, "FILES", 2)
    assert len(shelf(tmp_path).names) <= 2
    assert "only the first 2" in caplog.text


def test_a_folder_that_is_gone_leaves_none_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    wildcards = shelf(tmp_path / "nowhere")
    assert wildcards.names == ()
    assert wildcards.configured
    assert "WILDCARDS_DIR can't be read" in caplog.text


def test_without_a_folder_there_are_none_and_none_is_missed() -> None:
    assert not NONE.configured
    assert NONE.refresh() == 0
    assert NONE.find("a") is NONE.find("*") is None


def test_the_operator_hears_of_names_that_are_not_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shelf(tmp_path, a="red __b__\n__nobody__ x\n__b*__", b="x", c="snake")
    assert "wildcard a names 1 unknown ones, such as __nobody__" in caplog.text
    assert caplog.text.count("unknown ones") == 1


def test_a_lookup_never_touches_the_disk(tmp_path: Path) -> None:
    write(tmp_path, outside="secret")
    wildcards = shelf(tmp_path / "in", a="x")
    for name in ("../outside", str(tmp_path / "outside"), "in/../../outside", "..", "", "a\x00", "./a"):
        assert wildcards.find(name) is None
    (tmp_path / "in" / "a.txt").unlink()
    assert values(wildcards, "a") == ["x"]


def test_the_sentence_about_an_unknown_name_offers_the_nearest(tmp_path: Path) -> None:
    wildcards = shelf(tmp_path, colours__warm="red", colours__cold="blue", seasons="may", sizes="big", zebra="z")
    sentence = str(wildcards.unknown("colours/wram"))
    assert sentence.startswith("There is no wildcard __colours/wram__ here. Did you mean __colours/warm__ or ")
    assert sentence.endswith("write \\__colours/wram__.")
    assert "nor any other" in str(shelf(tmp_path / "empty").unknown("a"))


def test_plain_values_are_known_as_such(tmp_path: Path) -> None:
    wildcards = shelf(tmp_path, plain="(red:1.2)\n[a|b]", braces="a\n{b|c}", named="__plain__", escaped="\\}")
    assert {name: found.plain for name in wildcards.names if (found := wildcards.find(name))} == {
        "plain": True,
        "braces": False,
        "named": False,
        "escaped": False,
    }
    found = wildcards.find("*")
    assert found is not None
    assert not found.plain
    for number in (-1, len(found)):
        with pytest.raises(IndexError):
            found[number]


@given(st.lists(st.text(alphabet="ab/", max_size=3), min_size=2, max_size=4), st.text(alphabet="ab/", max_size=10))
def test_a_glob_matches_as_a_regular_expression_does(pieces: list[str], name: str) -> None:
    assert _matches(pieces, name) == (re.fullmatch(".*".join(pieces), name) is not None)
