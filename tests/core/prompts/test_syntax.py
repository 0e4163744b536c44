"""What in a prompt is syntax, what is text, and what can only be a mistake."""

import sys
from collections.abc import Callable
from types import FrameType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import UserError
from core.prompts.syntax import Choice, Node, Option, Text, Wildcard, literal, parse

ODD = st.text(alphabet="{}|[]<>$\\_-*/:. ab12é\n", max_size=120)
ANY = st.text(alphabet=st.characters(codec=None), max_size=80) | ODD


def read(text: str) -> tuple[Node, ...]:
    return parse(text, depth=8)


def choice(*texts: str, low: int = 1, high: int | None = 1, joiner: str = ", ") -> Choice:
    return Choice(low, high, joiner, tuple(Option(1.0, (Text(text),) if text else ()) for text in texts))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("{a|b}", choice("a", "b")),
        ("{a|}", choice("a", "")),
        ("{ a | b }", choice(" a ", " b ")),
        ("{2$$a|b|c}", choice("a", "b", "c", low=2, high=2)),
        ("{1-3$$a|b}", choice("a", "b", low=1, high=3)),
        ("{3-1$$a|b}", choice("a", "b", low=1, high=3)),
        ("{-2$$a|b}", choice("a", "b", low=1, high=2)),
        ("{2-$$a|b}", choice("a", "b", low=2, high=None)),
        ("{-$$a|b}", choice("a", "b", low=1, high=None)),
        ("{ 1 - 2 $$a|b}", choice("a", "b", low=1, high=2)),
        ("{2$$ and $$a|b}", choice("a", "b", low=2, high=2, joiner=" and ")),
        ("{2$$$$a|b}", choice("a", "b", low=2, high=2, joiner="")),
        ("{2$$ \\| $$a|b}", choice("a", "b", low=2, high=2, joiner=" | ")),
        ("{2$$[$$a|b}", choice("a", "b", low=2, high=2, joiner="[")),
        ("{1$$a}", choice("a")),
        ("{a$$b|c}", choice("a$$b", "c")),
        ("{1girl|2girls}", choice("1girl", "2girls")),
        ("{[a|b]|c}", choice("[a|b]", "c")),
        ("{[a|b}", choice("[a", "b")),
        ("{\\[a|b\\]|c}", choice("\\[a", "b\\]", "c")),
        ("{a\\|b|c\\}}", choice("a|b", "c}")),
        ("{{a}|b}", choice("{a}", "b")),
    ],
)
def test_a_choice_is_read(text: str, meant: Choice) -> None:
    assert read(text) == (meant,)


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("{3::a|b}", [3, 1]),
        ("{0.5::a|.25::b|2.::c}", [0.5, 0.25, 2]),
        ("{ 3 :: a|b}", [3, 1]),
        ("{0::a|b|2::c}", [1, 2]),
        ("{2$$3::a|b}", [3, 1]),
    ],
)
def test_weights_are_read_and_what_weighs_nothing_is_left_out(text: str, weights: list[float]) -> None:
    (node,) = read(text)
    assert isinstance(node, Choice)
    assert [option.weight for option in node.options] == weights


@pytest.mark.parametrize("text", ["{a::b|c}", "{-1::a|b}", "{9999999::a|b}", "{1e5::a|b}"])
def test_what_is_no_weight_is_text(text: str) -> None:
    (node,) = read(text)
    assert isinstance(node, Choice)
    assert [option.weight for option in node.options] == [1, 1]


def test_choices_are_nested_and_stand_between_text() -> None:
    assert read("a {b {c|d}|e} f") == (
        Text("a "),
        Choice(1, 1, ", ", (Option(1.0, (Text("b "), choice("c", "d"))), Option(1.0, (Text("e"),)))),
        Text(" f"),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a fox, (word:1.2), <lora:inkwash:0.8>, ((b)), [a|b], [a:b:0.5], [a::0.5] BREAK a AND b:1.2",
        "a | b",
        "} a }{ {} {a} {{masterpiece}}",
        "smiling :{ happily",
        "$$ 2$$a ${name} 3::a",
        "\\(sitting\\) \\[a\\] \\\\ \\n \\",
        "[[{a [b|c] d}]]",
        "_ __ ___ ____ a_b __ a __ b",
        "größer 🦊 \ud800 \x00",
    ],
)
def test_text_that_is_no_syntax_stays_as_it_is(text: str) -> None:
    assert read(text) == ((Text(text),) if text else ())


@given(st.text(alphabet=st.characters(codec=None, exclude_characters="{\\_"), max_size=80))
def test_whatever_has_no_brace_no_backslash_and_no_underscore_is_text(text: str) -> None:
    assert read(text) == ((Text(text),) if text else ())


@given(ANY)
def test_escaped_text_is_that_text(text: str) -> None:
    escaped = text.replace("\\", "")
    wanted = escaped
    for sign in "{}|":
        escaped = escaped.replace(sign, f"\\{sign}")
    escaped = escaped.replace("__", "\\__")
    assert "".join(node.source if isinstance(node, Wildcard) else node.text for node in read(escaped)) == wanted  # type: ignore[union-attr]  # no choices


@given(ANY)
@example("{1$$" * 9 + "}" * 9)
@example("{0::a|0::b}")
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        nodes = read(text)
    except UserError as error:
        assert str(error).endswith(".")
    else:
        assert all(isinstance(node, Text | Wildcard | Choice) for node in nodes)


@given(ANY)
def test_what_is_in_a_wildcard_is_read_whatever_it_is(text: str) -> None:
    parse(text, depth=200, strict=False)


@pytest.mark.parametrize("text", ["a {b|c", "{2$$a, b", "{a|b {c|d}", "{a {b|c", "{a|b\\}"])
def test_a_choice_that_is_never_closed_is_a_mistake(text: str) -> None:
    with pytest.raises(UserError, match=r'brace at "\{.*" is never closed'):
        read(text)
    assert parse(text, depth=8, strict=False)


def test_the_sentence_shows_where_the_brace_is() -> None:
    with pytest.raises(UserError, match=r'at "\{red\|blue"'):
        read("a fox {with|without} {red|blue")


def test_nothing_but_weights_of_zero_is_a_mistake() -> None:
    with pytest.raises(UserError, match="weight 0"):
        read("{0::a|0::b}")
    assert parse("{0::a|0::b}", depth=8, strict=False) == (choice("a", "b"),)


def test_nesting_has_a_bound() -> None:
    assert parse("{|" * 8 + "}" * 8, depth=8)
    with pytest.raises(UserError, match="8 deep"):
        parse("{|" * 9 + "}" * 9, depth=8)


def test_braces_that_are_text_are_no_nesting() -> None:
    text = "{" * 3000 + "}" * 3000
    assert read(text) == (Text(text),)


@pytest.mark.parametrize(
    ("text", "name", "meant"),
    [
        ("__colours__", "colours", True),
        ("a __colours/warm red__ b", "colours/warm red", True),
        ("(__colours/*__:1.2)", "colours/*", True),
        ("__a_b-c.d__", "a_b-c.d", True),
        ("__größe__", "größe", True),
        ("__a____b__", "a", False),
        ("snake__case__name", "case", False),
        ("<lora:__style__:0.8>", "style", False),
        ("a < b, <lora:x:1> __style__", "style", True),
    ],
)
def test_a_wildcard_is_read_and_known_to_be_meant(text: str, name: str, meant: bool) -> None:
    assert next(node for node in read(text) if isinstance(node, Wildcard)) == Wildcard(name, meant)


@pytest.mark.parametrize("text", ["__ a __", "__a", "__a:b__", "__@here__", "__a\nb__", "__" + "a" * 101 + "__"])
def test_what_can_be_no_name_is_no_wildcard(text: str) -> None:
    assert read(text) == (Text(text),)


def test_an_escaped_wildcard_is_text() -> None:
    assert read("\\__init__ and __colours__") == (Text("__init__ and "), Wildcard("colours", meant=True))


def calls(work: Callable[[], object]) -> int:
    """How many functions are called: time that no busy machine changes."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event.endswith("call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "part", ["{", "{|", "}", "|", "__", "__a_", "{a|b}", "[{|", "{2$$", "{1-9$$a$$", "\\", "<a:", "[", "]", "{[|]|}"]
)
def test_work_grows_with_the_length_alone(part: str) -> None:
    short, long = (
        calls(lambda text=part * times: parse(text, depth=10_000, strict=False))  # type: ignore[misc]  # bound now
        for times in (500, 2000)
    )
    assert long <= 4.5 * short


@pytest.mark.parametrize("text", ["a fox", "a {fox} [red|blue] <lora:a__b:1>", "(a:1.2) \\(b\\)"])
def test_what_is_no_choice_is_written_as_it_is(text: str) -> None:
    assert literal(text) == text


@given(ANY)
@example("{a|b}")
@example("{a|b")
@example("\\{a\\|b\\}")
@example("__a__ \\__b__ ____")
@example("{0::a|0::b}")
def test_any_text_can_be_written_so_that_nothing_in_it_is_a_choice(text: str) -> None:
    assert read(literal(text)) == ((Text(text),) if text else ())
