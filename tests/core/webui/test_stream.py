"""The streaming reader against json.loads, cut anywhere; its memory and its patience with broken answers."""

import base64
import itertools
import json
import re
import time
import tracemalloc
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import UnreadableAnswer
from core.webui.answer import Answer, decode_info
from core.webui.stream import AnswerScanner, read_answer


def _scan(body: bytes, spool: Path, cuts: Iterable[int] = ()) -> tuple[Answer, bytes]:
    """Feed the body in pieces; the answer and the JSON that was left."""
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    pieces = [body[start:end] for start, end in itertools.pairwise(edges)]

    async def chunks() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    answer = _run(read_answer(chunks(), spool))
    scanner = AnswerScanner(spool)
    for piece in pieces:
        scanner.feed(piece)
    return answer, scanner.finish()


def _run(reading: Coroutine[Any, Any, Answer]) -> Answer:
    """Without a loop, of which hundreds of examples would each need one: nothing in here ever waits."""
    try:
        reading.send(None)
    except StopIteration as end:
        answer: Answer = end.value
        return answer
    raise AssertionError("it waited")


def _expected(body: bytes) -> list[bytes | None]:
    """What a plain reader makes of the images: their bytes, None for an entry without."""
    images = json.loads(body).get("images")
    if not isinstance(images, list):
        return []
    return [_decoded(entry) or None if isinstance(entry, str) else None for entry in images]


def _decoded(text: str) -> bytes:
    return base64.b64decode(text.partition(",")[2] if text.startswith("data:") else text, validate=True)


def _files(answer: Answer, spool: Path) -> list[bytes | None]:
    return [None if name is None else (spool / name).read_bytes() for name in answer.files]


def _without_images(value: Any) -> Any:
    if isinstance(value, dict) and isinstance(value.get("images"), list):
        emptied = ["" if isinstance(entry, str) else entry for entry in value["images"]]
        return {**value, "images": emptied}
    return value


_image = st.builds(
    lambda prefix, data: prefix + base64.b64encode(data).decode(),
    st.sampled_from(["", "", "", "data:image/png;base64,"]),
    st.binary(max_size=60),
)
_plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12) | _image,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5) | st.sampled_from(["images", "info", 'i"mages']), inner, max_size=4)
    ),
    max_leaves=12,
)
_images = st.none() | st.lists(
    _image | st.none() | st.just("") | st.dictionaries(st.text(max_size=3), _plain), max_size=4
)
_body = st.dictionaries(
    st.sampled_from(["parameters", "info", "images ", "Images", "im\\ages", "x", ""]), _plain, max_size=4
).flatmap(
    lambda rest: st.builds(
        lambda images, first: {"images": images} | rest if first else rest | {"images": images},
        _images,
        st.booleans(),
    )
)


def _escape_slashes(text: str) -> str:
    return text.replace("/", "\\/")


def _escape_everything(text: str) -> str:
    """Every base64 `+` as an escape, as some JSON writers do."""
    return re.sub(r"(?<![0-9]e)\+", r"\\u002b", text)


@given(
    body=_body,
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 1]),
    rewrite=st.sampled_from([str, _escape_slashes, _escape_everything]),
    cuts=st.lists(st.integers(0, 4000), max_size=12),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_answer_cut_anywhere_reads_as_json_loads_reads_it(
    tmp_path: Path, body: dict[str, Any], ascii_only: bool, indent: int | None, rewrite: Any, cuts: list[int]
) -> None:
    raw = rewrite(json.dumps(body, ensure_ascii=ascii_only, indent=indent)).encode("utf-8", "surrogatepass")
    answer, rest = _scan(raw, tmp_path, cuts)
    assert _files(answer, tmp_path) == _expected(raw)
    assert json.loads(rest.decode("utf-8", "surrogatepass")) == _without_images(json.loads(raw))
    assert not list(tmp_path.glob("*.part"))


@given(body=_body, share=st.floats(0, 0.999))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_answer_that_ends_early_is_unreadable_and_leaves_no_part(
    tmp_path: Path, body: dict[str, Any], share: float
) -> None:
    raw = json.dumps(body).encode()
    with pytest.raises(UnreadableAnswer):
        _scan(raw[: int(len(raw) * share)], tmp_path)
    assert not list(tmp_path.glob("*.part"))


@given(st.lists(st.sampled_from([*b'{}[]",:\\nimages0 ', 0xFF]), max_size=60))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused(tmp_path: Path, data: list[int]) -> None:
    raw = b'{"images":' + bytes(data)
    try:
        answer, _ = _scan(raw, tmp_path)
    except UnreadableAnswer:
        return
    assert _files(answer, tmp_path) == _expected(raw)


PNG = base64.b64encode(bytes(range(256)) * 3).decode()


def test_every_single_cut_gives_the_same_answer(tmp_path: Path) -> None:
    raw = json.dumps({"parameters": {"images": [PNG]}, "images": [PNG, f"data:image/png;base64,{PNG}"], "info": "{}"})
    raw = raw.replace("/", "\\/")
    expected = _expected(raw.encode())
    for cut in range(0, len(raw), 7):
        answer, _ = _scan(raw.encode(), tmp_path, [cut, cut + 1])
        assert _files(answer, tmp_path) == expected


def test_images_inside_other_values_are_not_taken(tmp_path: Path) -> None:
    body = {"info": json.dumps({"images": [PNG]}), "parameters": {"images": [PNG]}, "more": [{"images": [PNG]}]}
    answer, _ = _scan(json.dumps(body).encode(), tmp_path)
    assert answer.files == ()
    assert not list(tmp_path.iterdir())


def test_of_two_keys_named_images_the_last_counts(tmp_path: Path) -> None:
    raw = b'{"images": ["AAAA", "BBBB"], "images": ["Q0ND"]}'
    answer, _ = _scan(raw, tmp_path)
    assert _files(answer, tmp_path) == [b"CCC"]


def test_base64_without_padding_or_with_spaces_is_read(tmp_path: Path) -> None:
    answer, _ = _scan(b'{"images": ["YQ", "YWI", " Y W\\nJj ", "YWJjZA=="]}', tmp_path, [14, 15, 30])
    assert _files(answer, tmp_path) == [b"a", b"ab", b"abc", b"abcd"]


@pytest.mark.parametrize(
    "images",
    ['"%%% not base64 %%%"', '"YWJj-"', '"A"', '"YQ==YQ=="', '"YQ\\"=="', '"\\u00e9\\u00e9"', f'"data:{"x" * 400}"'],
)
def test_a_string_that_is_not_base64_is_unreadable(tmp_path: Path, images: str) -> None:
    raw = f'{{"images": ["{PNG}", {images}]}}'.encode()
    for cuts in ([0], list(range(len(raw)))):
        with pytest.raises(UnreadableAnswer):
            _scan(raw, tmp_path, cuts)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"null", b"[]", b"<html>", b'"x"', b"{} x", b"}", b'{"a":1', b"\x1f\x8b\x08"]
)
def test_what_is_not_one_json_object_is_unreadable(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        _scan(body, tmp_path)


@pytest.mark.parametrize("images", ["null", "[]", "{}", '"abc"', "7", '{"images": ["AAAA"]}'])
def test_an_answer_may_hold_no_images(tmp_path: Path, images: str) -> None:
    answer, _ = _scan(f'{{"images": {images}, "info": "{{}}"}}'.encode(), tmp_path)
    assert answer.files == ()


def test_empty_entries_keep_their_place(tmp_path: Path) -> None:
    answer, _ = _scan(b'{"images": ["", null, "YWJj", {}]}', tmp_path)
    assert answer.files == (None, None, "1.raw", None)


@pytest.mark.parametrize(
    ("info", "decoded"),
    [
        ('{"seed": 5}', {"seed": 5}),
        ({"seed": 5}, {"seed": 5}),
        ('{"eta": NaN, "seed": 5}', {"seed": 5}),
        ('{"prompt": "\\ud83d", "seed": 5}', {"seed": 5}),
        ("", {}),
        ("  ", {}),
        ("not json", {}),
        ("[1]", {}),
        (None, {}),
        (7, {}),
        ("[" * 100_000, {}),
    ],
)
def test_info_is_read_as_far_as_it_can_be(info: Any, decoded: dict[str, Any]) -> None:
    assert {key: value for key, value in decode_info(info).items() if key == "seed"} == decoded


def test_a_full_disk_is_no_fault_of_the_webui(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        _scan(b'{"images": ["YWJj"]}', tmp_path / "missing")


def _slices(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def test_ten_megabytes_cost_less_than_two_and_no_chunk_takes_long(tmp_path: Path) -> None:
    body = b'{"images": ["' + base64.b64encode(bytes(10_000_000)) + b'"], "info": "{}"}'
    scanner = AnswerScanner(tmp_path)
    longest = 0.0
    for chunk in _slices(body, 128 * 1024):
        started = time.thread_time()
        scanner.feed(chunk)
        longest = max(longest, time.thread_time() - started)
    scanner.finish()
    assert longest < 0.015

    scanner = AnswerScanner(tmp_path)
    tracemalloc.start()
    try:
        for chunk in _slices(body, 128 * 1024):
            scanner.feed(chunk)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
    assert (tmp_path / scanner.files[0]).stat().st_size == 10_000_000 if scanner.files[0] else False
