"""How many prompts a prompt stands for, and each of them: compared with a plain enumeration."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UserError
from core.prompts.draft import Caps
from core.prompts.expand import expand
from core.prompts.permute import Permutations, count_permutations, permutations
from core.prompts.syntax import Choice, Node, Option, Text, parse
from core.prompts.wildcards import Wildcards
from tests.core.prompts.folders import CAPS, NONE, chance, shelf
from tests.core.prompts.test_syntax import ANY


def listed(text: str, wildcards: Wildcards = NONE) -> list[str]:
    found = list(permutations(text, wildcards, CAPS))
    assert count_permutations(text, wildcards, CAPS) == Permutations(len(found), exact=True)
    return found


def enumerated(nodes: tuple[Node, ...]) -> Iterator[str]:
    """The same, the simple way."""
    for texts in itertools.product(*(list(forms(node)) for node in nodes)):
        yield "".join(texts)


def forms(node: Node) -> Iterator[str]:
    if isinstance(node, Text):
        yield node.text
    elif isinstance(node, Choice):
        low, high = node.counts(len(node.options))
        for size in range(low, high + 1):
            yield from map(node.joiner.join, taken(node.options, size))


def taken(options: tuple[Option, ...], size: int) -> Iterator[tuple[str, ...]]:
    if size == 0:
        yield ()
        return
    for place, option in enumerate(options):
        for text in enumerated(option.nodes):
            for rest in taken(options[:place] + options[place + 1 :], size - 1):
                yield (text, *rest)


WORD = st.sampled_from(["a", "b", "", " c"])
COUNTS = st.sampled_from(["", "2$$", "1-2$$", "0-1$$", "2$$+$$", "-$$", "0$$"])
PROMPT = st.recursive(
    WORD,
    lambda inner: st.builds(
        lambda before, count, options, after: f"{before}{{{count}{'|'.join(options)}}}{after}",
        WORD,
        COUNTS,
        st.lists(inner, min_size=1, max_size=3),
        WORD,
    ),
    max_leaves=6,
)


@given(PROMPT)
@settings(deadline=None)
def test_permutations_are_those_of_a_plain_enumeration_in_its_order(text: str) -> None:
    wanted = list(itertools.islice(enumerated(parse(text, depth=16)), 5000))
    count = count_permutations(text, NONE, CAPS)
    assert count.number >= len(wanted)
    assert list(itertools.islice(permutations(text, NONE, CAPS), 5000)) == wanted
    if len(wanted) < 5000:
        assert count == Permutations(len(wanted), exact=True)


@given(PROMPT, st.integers(0, 1000))
def test_whatever_is_drawn_is_one_of_them(text: str, seed: int) -> None:
    if count_permutations(text, NONE, CAPS).number <= 2000:
        assert expand(text, NONE, chance(seed), CAPS) in set(permutations(text, NONE, CAPS))


def test_what_stands_first_changes_last() -> None:
    assert listed("{red|blue} {fox|owl}") == ["red fox", "red owl", "blue fox", "blue owl"]
    assert listed("{1-2$$a|b|c}") == ["a", "b", "c", "a, b", "a, c", "b, a", "b, c", "c, a", "c, b"]


def test_places_count_and_not_texts() -> None:
    assert listed("{a|a}") == ["a", "a"]
    assert listed("{2$$a|a}") == ["a, a", "a, a"]


def test_what_weighs_nothing_is_none_of_them() -> None:
    assert listed("{0::a|5::b|c}") == ["b", "c"]


def test_plain_text_is_its_own_only_permutation() -> None:
    assert listed("a fox") == ["a fox"]
    assert listed("") == [""]


def test_wildcards_are_listed_in_the_order_of_their_lines(tmp_path: Path) -> None:
    wildcards = shelf(
        tmp_path, colours="red\n{light|dark} blue\ngreen", sizes="big\nsmall", pair="__sizes__ __colours__"
    )
    assert listed("a __colours__ fox", wildcards) == [
        "a red fox",
        "a light blue fox",
        "a dark blue fox",
        "a green fox",
    ]
    assert listed("{1$$__sizes__}", wildcards) == listed("__sizes__", wildcards) == ["big", "small"]
    assert listed("{2$$__sizes__}", wildcards) == ["big, small", "small, big"]
    assert listed("{2$$__sizes__|__sizes__}", wildcards)[:3] == ["big, big", "big, small", "small, big"]
    assert len(listed("{2$$__colours__|__colours__}", wildcards)) == 32
    assert len(listed("{2$$__colours__}", wildcards)) == 10
    assert len(listed("{2$$__colours__} {2$$__colours__}", wildcards)) == 100
    assert len(listed("__pair__", wildcards)) == 8
    assert len(listed("__*__", wildcards)) == 4 + 8 + 2
    assert listed("\\__x__ __nothing/x__x", wildcards) == ["__x__ __nothing/x__x"]


def test_the_number_is_known_without_listing(tmp_path: Path) -> None:
    wildcards = shelf(tmp_path, many="\n".join(map(str, range(1000))))
    assert count_permutations("__many__ __many__", wildcards, CAPS) == Permutations(1_000_000, exact=True)
    assert count_permutations("{2$$__many__}", wildcards, CAPS) == Permutations(999_000, exact=True)
    for text in ("__many__ __many__ {a|b}", "{3$$__many__}", "{a|b}" * 1000, "{-$$" + "a|" * 2000 + "}"):
        count = count_permutations(text, wildcards, CAPS)
        assert count == Permutations(1_000_000, exact=False)
        assert str(count) == "more than 1,000,000"
    assert str(count_permutations("{2$$a|b|c}" * 4, NONE, CAPS)) == "1,296"


def test_too_many_are_refused_at_once() -> None:
    caps = Caps(permutations=5)
    assert len(list(permutations("{a|b|c|d|e}", NONE, caps))) == 5
    with pytest.raises(UserError, match="more than 5 pictures"):
        permutations("{a|b}{c|d|e}", NONE, caps)


def test_they_are_made_when_they_are_asked_for() -> None:
    text = "{a|b|c|d|e|f|g|h|i|j}" * 6
    found = permutations(text, NONE, CAPS)
    assert [next(found), next(found)] == ["aaaaaa", "aaaaab"]


def test_a_part_that_is_never_taken_may_be_huge() -> None:
    assert listed("{0$$x|" + "{a|b}" * 100 + "}y") == ["y"]


def test_one_that_gets_too_long_is_refused_when_it_is_reached() -> None:
    found = permutations("{a|" + "b" * 20 + "}", NONE, Caps(length=10))
    assert next(found) == "a"
    with pytest.raises(UserError, match="more than 10 characters"):
        next(found)


def test_a_wildcard_that_leads_back_to_itself_can_not_be_counted(tmp_path: Path) -> None:
    wildcards = shelf(tmp_path, a="leaf\n__b__", b="{2$$__a__}\nx")
    with pytest.raises(UserError, match=r"__[ab]__ leads back to itself"):
        count_permutations("x __a__", wildcards, CAPS)


def test_depth_has_a_bound_whatever_was_counted_before(tmp_path: Path) -> None:
    """Each file alone is counted from its end; the last one stands on all of them."""
    names = [f"n{number:02}" for number in range(40)]
    files = {name: f"__{below}__\ny{{a|b}}" for name, below in zip(names[1:], names, strict=False)}
    wildcards = shelf(tmp_path, **files, n00="{x|y}")
    assert count_permutations("__n14__", wildcards, CAPS).exact
    for text in ("__n17__", " ".join(f"__{name}__" for name in names)):
        with pytest.raises(UserError, match="16 deep"):
            count_permutations(text, wildcards, CAPS)
    with pytest.raises(UserError, match="16 deep"):
        count_permutations("{|" * 16 + "__n00__" + "}" * 16, wildcards, CAPS)


def test_counting_and_writing_are_bounded_by_their_work(tmp_path: Path) -> None:
    names = "abcdefghijk"
    files = {name: f"__{below}__" * 30 for name, below in itertools.pairwise(names)}
    wildcards = shelf(tmp_path, **files, k="{0$$a|b}", many="\n".join("{a|b}" for _ in range(30_000)))
    assert count_permutations("__a__", wildcards, CAPS) == Permutations(1, exact=True)
    with pytest.raises(UserError, match="too many parts"):
        next(permutations("__a__", wildcards, CAPS))
    with pytest.raises(UserError, match="too many parts"):
        count_permutations("__many__", wildcards, CAPS)


@given(ANY)
def test_any_text_is_counted_or_refused_with_a_sentence(text: str) -> None:
    try:
        count = count_permutations(text, NONE, CAPS)
    except UserError as error:
        assert str(error).endswith(".")
    else:
        assert count.number >= 1
