"""Tags of LoRAs in prompts: found as webuis find them, their weights brought inside, their names looked up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.tags import check_tags, clamp_lora_tags, lora_tags, read_lora_tags, respell_lora_tags, take_lora_tags

TEXT = st.text(alphabet="<>:=,@ \nlora lyco te unet 0189.-xnaif", max_size=60)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a <lora:ink:99999> fox", "a <lora:ink:4> fox"),
        ("< LORA : ink : -5.5 >", "< LORA : ink : -4 >"),
        ("<lora:ink:nan> <lyco:b:inf>", "<lora:ink:1> <lyco:b:1>"),
        ("<lora:ink:9:0.5>", "<lora:ink:4:0.5>"),
        ("<lora:ink> <lora:a:> <lora:b:0.80> <lora:c:te=1> <lora:d:4>",) * 2,
        ("<lora:foo:1:99> <lora:foo:unet=99>", "<lora:foo:1:4> <lora:foo:unet=4>"),
        ("<lora:te=-99:foo:9>", "<lora:te=-4:foo:4>"),
        ("<lora:foo:1:1:64> <lora:foo:dyn=64:step=5>",) * 2,
        ("<lora:foo:1@0,99@10:lbw=0,99,IN>", "<lora:foo:1@0,4@10:lbw=0,4,IN>"),
        ("<lora:no<pe:99>", "<lora:no<pe:4>"),
        ("(a:99999) <3 a <b> c <smile:99>",) * 2,
    ],
)
def test_weights_of_lora_tags_are_brought_inside(typed: str, kept: str) -> None:
    assert clamp_lora_tags(typed, -4, 4) == kept
    assert clamp_lora_tags(kept, -4, 4) == kept
    assert all(-4 <= weight <= 4 for _, weight in take_lora_tags(kept)[1])


@given(TEXT, st.sampled_from(["<lora:{}>", "<lyco:ink:{}>", "< LoRA : ink:1:{}>", "<lora:ink:te={}>"]))
def test_no_weight_is_left_outside(text: str, tag: str) -> None:
    clamped = clamp_lora_tags(tag.format(text), -4, 4)
    assert clamp_lora_tags(clamped, -4, 4) == clamped
    for found in read_lora_tags(clamped):
        assert all(-4 <= weight <= 4 for weight in found.weights)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("<lora:ink:1> <lyco: detail :0.5><lora:ink:2>", ("ink", "detail")),
        ("<lora:no<pe:1>", ("no<pe",)),
        ("<lora:two\nlines>", ("two\nlines",)),
        ("<lora:te=0.5:ink:1>", ("ink",)),
        ("<3 a <b> c <lora <smile:1> lora:ink", ()),
    ],
)
def test_names_are_found_where_webuis_find_them(text: str, names: tuple[str, ...]) -> None:
    assert lora_tags(text) == names


@pytest.mark.parametrize("text", ["<lora::0.8>", "<lora:>", "<lyco: :1>", "<lora:te=1>"])
def test_a_tag_without_a_name_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="no name"):
        check_tags(f"a fox {text}")


def test_hypernetworks_are_refused() -> None:
    with pytest.raises(UserError, match="Hypernetworks"):
        check_tags("a fox <hypernet:foo:1>")


@pytest.mark.parametrize(
    "text", ["i <3 you", "a <b> c", "<smile:1.2>", "lora:ink", "<loras:1>", "<lora:ink:1>", "a<b:c"]
)
def test_what_is_ordinary_text_is_left_alone(text: str) -> None:
    check_tags(text)
    assert clamp_lora_tags(text, -4, 4) == text


@pytest.mark.parametrize(
    ("tag", "weight"),
    [
        ("<lora:ink>", 1.0),
        ("<lora:ink:0.5>", 0.5),
        ("<lora:ink:0.5:0.2>", 0.2),
        ("<lora:ink:te=0.5>", 0.5),
        ("<lora:ink:0.5:unet=0.3>", 0.3),
        ("<lora:ink:0.5:IN02>", 0.5),
        ("<lora:ink:strong>", 1.0),
    ],
)
def test_a_tag_that_is_taken_out_leaves_its_weight(tag: str, weight: float) -> None:
    assert take_lora_tags(f"a {tag} fox") == ("a fox", (("ink", weight),))


def test_tags_are_written_as_the_webui_reads_them() -> None:
    spelled = {"ink": "Ink", "te": None}
    text = "a < LoRA: ink :0.5:te=1> <lyco:ink> <lora:other:1> <3 <hypernet:ink:1>"
    assert respell_lora_tags(text, spelled.get) == "a <lora:Ink:0.5:te=1> <lyco:Ink> <lora:other:1> <3 <hypernet:ink:1>"
