"""Words like `key:value`: what they set, and every mistake at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.extra import KEYS, MISTAKES_ROOM, NO_FIELDS, parse_extra, suggest_extra
from core.request import GenerationRequest


def no_names(_kind: str, _typed: str) -> list[str]:
    return []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("hires_steps:12", {"hires_steps": 12}),
        ("hires_denoise:0,45", {"hires_denoising_strength": 0.45}),
        ('hires_sampler:"DPM++ 2M" hires_scheduler:Karras', {"hires_sampler": "DPM++ 2M", "hires_scheduler": "Karras"}),
        (
            "REFINER:xl_refiner refiner_at=0.8",
            {"refiner_checkpoint": "xl_refiner", "refiner_switch_at": 0.8},
        ),
        (
            "resize:Crop area:masked masked:noise",
            {"resize_mode": "crop", "inpaint_area": "masked", "masked_content": "noise"},
        ),
        ("tiling:yes mask_invert:off", {"tiling": True, "mask_invert": False}),
        ("hires-steps:12 Refiner-At : 0.5", {"hires_steps": 12, "refiner_switch_at": 0.5}),
        ('refiner:"a ""b"" c" eta: 1', {"refiner_checkpoint": 'a "b" c', "eta": 1.0}),
        ("refiner: C:\\x refiner_at:1", {"refiner_checkpoint": "C:\\x", "refiner_switch_at": 1.0}),
        ('refiner:"open to the end', {"refiner_checkpoint": "open to the end"}),
        ("subseed:7  subseed_strength:0.2 eta:1", {"subseed": 7, "subseed_strength": 0.2, "eta": 1.0}),
    ],
)
def test_words_become_fields(text: str, expected: dict[str, object]) -> None:
    found = parse_extra(text)
    assert found == expected
    GenerationRequest(prompt="x", **found)


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(UserError) as caught:
        parse_extra("hires_stepz:5 nonsense eta:much tiling:maybe eta:1 eta:0.5 padding:1.5")
    assert str(caught.value) == (
        'In extra: there is no "hires_stepz" (did you mean hires_steps?); "nonsense" is no key:value; '
        'eta can\'t be "much" (for example 0.0, 1.0); tiling can\'t be "maybe" (for example yes, no); '
        'eta is there twice; padding can\'t be "1.5" (for example 32, 64).'
    )


@pytest.mark.parametrize("text", ["eta:nan", "eta:inf", "eta:-inf", "eta:1e999"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="eta can't be"):
        parse_extra(text)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        parse_extra(text)
    except UserError as error:
        assert str(error).endswith(".")
        assert len(str(error)) < 1500


def test_every_key_sets_a_field_that_a_request_has() -> None:
    fields = GenerationRequest.__dataclass_fields__
    assert {key.field for key in KEYS.values()} - fields.keys() == {*NO_FIELDS}
    assert len({key.field for key in KEYS.values()}) == len(KEYS)


def test_the_word_that_is_being_typed_is_completed() -> None:
    assert "hires_steps:" in suggest_extra("", no_names)
    assert suggest_extra("eta:1 hires_st", no_names) == ["eta:1 hires_steps:"]
    assert suggest_extra("eta:1 et", no_names) == []
    assert suggest_extra("tiling:y", no_names) == ["tiling:yes"]
    assert suggest_extra("nothing:y", no_names) == []
    assert suggest_extra("image_u", no_names) == []
    assert suggest_extra("image_u", no_names, without=()) == ["image_url:"]
    assert suggest_extra("permut", no_names) == []
    assert suggest_extra("permutations:y", no_names, without=()) == ["permutations:yes"]
    asked: list[tuple[str, str]] = []

    def names(kind: str, typed: str) -> list[str]:
        asked.append((kind, typed))
        return ["DPM++ 2M", "Euler"]

    assert suggest_extra("eta:1 hires_sampler:d", names) == [
        'eta:1 hires_sampler:"DPM++ 2M"',
        "eta:1 hires_sampler:Euler",
    ]
    assert asked == [("sampler", "d")]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("eta: refiner:foo", "eta has no value (for example 0.0, 1.0)"),
        ("refiner:", "refiner has no value"),
        ("subseed: tilin:yes", 'subseed has no value (a whole number); there is no "tilin" (did you mean tiling?)'),
        ("hires-stepz:12", 'there is no "hires_stepz" (did you mean hires_steps?)'),
    ],
)
def test_a_missing_value_does_not_eat_the_next_word(text: str, mistake: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_extra(text)
    assert str(caught.value) == f"In extra: {mistake}."


@pytest.mark.parametrize("number", [12, 300])
def test_mistakes_that_do_not_fit_are_counted(number: int) -> None:
    with pytest.raises(UserError) as caught:
        parse_extra(" ".join(f"wrong{'x' * 20}{index}" for index in range(number)))
    *named, more = str(caught.value).removesuffix(".").split("; ")
    shown = len(named) if more.startswith("and ") else number
    assert shown >= 10
    assert shown == number or more == f"and {number - shown} more"
    assert len(str(caught.value)) < MISTAKES_ROOM + 30


NAME = st.text(alphabet='ab "\u3000\u00a0:=eta_-,', min_size=1, max_size=8).filter(lambda name: name.strip() != "")


@pytest.mark.parametrize("sign", [":", "=", ": ", " : "])
@pytest.mark.parametrize("head", ["", "eta:1 ", 'resize:crop  hires_scheduler:"SGM Uniform" '])
@given(name=NAME, end=st.integers(0, 8), quote=st.booleans())
def test_what_is_suggested_means_what_is_shown(head: str, sign: str, name: str, end: int, quote: bool) -> None:
    """However the key is written and however much of the value is typed, in quotes or without."""
    typed = '"' + name[:end].replace('"', '""') if quote else name[:end].strip()
    if not quote and (" " in typed or '"' in typed or not typed.isascii() or ":" in typed or "=" in typed):
        typed = ""
    for text in suggest_extra(f"{head}refiner{sign}{typed}", lambda _kind, _typed: [name]):
        assert text.startswith(f"{head}refiner{sign}")
        assert parse_extra(text) == parse_extra(head) | {"refiner_checkpoint": name.strip()}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("refiner: ", ["refiner: One"]),
        ("refiner: eta:0", ["refiner: eta:0.0"]),
        ("hires_sampler=O", ["hires_sampler=One"]),
        ("hires-sampler:O", ["hires-sampler:One"]),
        ("eta:1 hires-sam", ["eta:1 hires_sampler:"]),
        ("eta", ["eta:"]),
        ("eta =", ["eta =0.0", "eta =1.0"]),
    ],
)
def test_suggestions_take_what_the_parser_takes(typed: str, expected: list[str]) -> None:
    assert suggest_extra(typed, lambda _kind, _typed: ["One"]) == expected


@pytest.mark.parametrize("key", sorted(KEYS))
def test_what_is_suggested_can_be_read(key: str) -> None:
    for text in suggest_extra(f"{key}:", lambda _kind, _typed: ["One Name", "other"]):
        assert set(parse_extra(text)) == {KEYS[key].field}


def test_whoever_compares_without_quotes_is_told_of_them() -> None:
    for text in ("compare:checkpoint=a,b cfg=5,7", "compare:sampler=Euler a,Euler", "compare:cfg=5, 7"):
        with pytest.raises(UserError, match="goes in quotes"):
            parse_extra(text)
    with pytest.raises(UserError, match=r"^In extra: there is no"):
        parse_extra('compare:"cfg=5,7" tilin:yes')
    assert parse_extra("compare:cfg=5,7 tiling:yes")["compare"] == "cfg=5,7"
