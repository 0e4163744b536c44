"""Which prompt is drawn: the same for the same seed, as often as weights say, and never past the caps."""

import itertools
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given

from core.errors import UserError
from core.prompts.draft import Caps
from core.prompts.expand import expand
from core.prompts.wildcards import Wildcards
from tests.core.prompts.folders import CAPS, NONE, chance, shelf
from tests.core.prompts.test_syntax import ANY


def draws(text: str, wildcards: Wildcards = NONE, *, times: int = 300) -> Counter[str]:
    return Counter(expand(text, wildcards, chance(seed), CAPS) for seed in range(times))


def test_plain_text_comes_back_as_it_is() -> None:
    text = "a fox, (word:1.2), <lora:inkwash:0.8>, [a|b], [a:b:0.5], __init__, {masterpiece}, a | b"
    assert expand(text, NONE, chance(1), CAPS) == text


def test_the_same_seed_gives_the_same_prompt() -> None:
    """The very prompts: a picture drawn again in another version must be the same picture."""
    text = "{red|green|blue} {2$$a|b|c}, {1-3$$ and $$3::x|y|0.5::z}"
    assert [expand(text, NONE, chance(seed), CAPS) for seed in (42, 43, 44)] == [
        "green a, c, z and x and y",
        "red b, c, x and y and z",
        "green c, a, x",
    ]


def test_pictures_of_one_request_differ() -> None:
    assert set(draws("{red|blue}", times=20)) == {"red", "blue"}


def test_every_alternative_is_drawn_and_nothing_else() -> None:
    assert set(draws("a {b|c {d|e}|}!")) == {"a b!", "a c d!", "a c e!", "a !"}


def test_weights_say_how_often() -> None:
    counts = draws("{3::a|b|0::c}", times=2000)
    assert set(counts) == {"a", "b"}
    assert 2.5 <= counts["a"] / counts["b"] <= 3.6


def test_several_are_different_and_in_any_order() -> None:
    assert set(draws("{2$$a|b|c}")) == {"a, b", "b, a", "a, c", "c, a", "b, c", "c, b"}
    assert set(draws("{2$$ and $$a|b}")) == {"a and b", "b and a"}
    assert set(draws("{5$$$$a|b}")) == {"ab", "ba"}
    assert set(draws("{0-1$$a|b}")) == {"", "a", "b"}
    assert set(draws("{-$$a|b}")) == {"a", "b", "a, b", "b, a"}


def test_several_are_drawn_one_after_another_by_weight() -> None:
    counts = draws("{2$$8::a|b|c}", times=3000)
    first = Counter(text[0] for text in counts.elements())
    assert 0.77 <= first["a"] / 3000 <= 0.83
    assert 0.45 <= counts["a, b"] / first["a"] <= 0.55


def test_a_wildcard_is_one_of_its_values(tmp_path: Path) -> None:
    wildcards = shelf(
        tmp_path, colours__warm="red\norange", colours__cold="blue", eyes="{big|small} __colours/*__ eyes"
    )
    assert set(draws("a __Colours/Warm__ fox", wildcards)) == {"a red fox", "a orange fox"}
    assert set(draws("__colours/*__", wildcards)) == {"red", "orange", "blue"}
    assert len(draws("__eyes__", wildcards)) == 6
    assert set(draws("<lora:__colours/cold__:{0.5|1}>", wildcards)) == {"<lora:blue:0.5>", "<lora:blue:1>"}


def test_every_value_is_equally_likely(tmp_path: Path) -> None:
    counts = draws("__*__", shelf(tmp_path, a="1\n2\n3", b="4"), times=4000)
    assert all(850 <= count <= 1150 for count in counts.values())


def test_several_values_of_a_wildcard_are_different(tmp_path: Path) -> None:
    wildcards = shelf(tmp_path, colours="red\n{light|dark} blue")
    assert set(draws("{2$$ and $$__colours__}", wildcards)) == {
        "red and light blue",
        "red and dark blue",
        "light blue and red",
        "dark blue and red",
    }
    assert set(draws("{3$$__colours__|x}", wildcards, times=20)) <= {
        f"{first}, {second}" for first in ("red", "light blue", "dark blue") for second in ("x",)
    } | {f"x, {second}" for second in ("red", "light blue", "dark blue")}


def test_a_wildcard_that_is_not_known_is_refused_where_it_is_meant(tmp_path: Path) -> None:
    wildcards = shelf(tmp_path, colours="red")
    for text in ("a __colors__ fox", "{a|__colors__}" * 20, "{2$$__colors__}", "__colors/*__"):
        with pytest.raises(UserError, match=r"no wildcard __colors.*Did you mean __colours__"):
            expand(text, wildcards, chance(1), CAPS)


def test_a_wildcard_that_is_not_known_is_text_where_it_may_be_text(tmp_path: Path) -> None:
    wildcards = shelf(tmp_path, colours="red", broken="{x __nobody__")
    for text in ("<lora:my__cool__style:1>", "snake__case__name"):
        assert expand(text, wildcards, chance(1), CAPS) == text
    assert expand("__broken__", wildcards, chance(1), CAPS) == "{x __nobody__"
    assert expand("\\__init__", wildcards, chance(1), CAPS) == "__init__"
    assert expand("__init__ {2$$__init__}", NONE, chance(1), CAPS) == "__init__ __init__"


def test_wildcards_that_lead_back_to_themselves_end_with_a_sentence(tmp_path: Path) -> None:
    wildcards = shelf(tmp_path, a="x __b__", b="y __a__", tree="leaf\nbranch __tree__")
    with pytest.raises(UserError, match=r"wildcard __[ab]__ leads to others more than 16 deep"):
        expand("__a__", wildcards, chance(1), CAPS)
    assert "branch leaf" in draws("__tree__", wildcards, times=20)


def test_nesting_has_a_bound_through_wildcards_too(tmp_path: Path) -> None:
    wildcards = shelf(tmp_path, a="{{x|x}|{x|x}}", b="__a__")
    caps = Caps(depth=4)
    assert expand("__b__", wildcards, chance(1), caps) == "x"
    assert (
        expand("__b__", shelf(tmp_path / "chain", b="__c__", c="__d__", d="__e__", e="{{x}}"), chance(1), caps)
        == "{{x}}"
    )
    with pytest.raises(UserError, match=r"__e__ leads to others more than 4 deep"):
        expand(
            "__a__", shelf(tmp_path / "longer", a="__b__", b="__c__", c="__d__", d="__e__", e="\\{"), chance(1), caps
        )
    with pytest.raises(UserError, match=r"4 deep"):
        expand("{__b__|__b__}", wildcards, chance(1), caps)


def test_a_prompt_that_gets_too_long_is_refused(tmp_path: Path) -> None:
    wildcards = shelf(tmp_path, long="x" * 500)
    assert len(expand("__long__ " * 10, wildcards, chance(1), CAPS)) == 5010
    with pytest.raises(UserError, match="more than 6,000 characters"):
        expand("__long__ " * 12, wildcards, chance(1), CAPS)


def test_wildcards_that_explode_are_stopped_by_their_work(tmp_path: Path) -> None:
    """Ten levels of thirty each, and no character comes of it."""
    names = "abcdefghijk"
    files = {name: f"__{below}__ " * 30 for name, below in itertools.pairwise(names)}
    wildcards = shelf(tmp_path, **{name: text.replace(" ", "{0$$a|b}") for name, text in files.items()}, k="{0$$a|b}")
    with pytest.raises(UserError, match="too many parts"):
        expand("__a__", wildcards, chance(1), CAPS)


def test_globs_that_match_nothing_are_work_too(tmp_path: Path) -> None:
    wildcards = shelf(tmp_path, **{f"name{number}": "x" for number in range(800)})
    text = " ".join(f"x__{number}*__" for number in range(400))
    with pytest.raises(UserError, match="too many parts"):
        expand(text, wildcards, chance(1), CAPS)


@given(ANY)
def test_any_text_is_drawn_or_refused_with_a_sentence(text: str) -> None:
    try:
        drawn = expand(text, NONE, chance(1), CAPS)
    except UserError as error:
        assert str(error).endswith(".")
    else:
        assert drawn == expand(text, NONE, chance(1), CAPS)
