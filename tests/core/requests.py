"""Requests for the tests: any that a slash command can carry, and any that the limits let through."""

from __future__ import annotations

from hypothesis import strategies as st
from msgspec import UNSET

from core.request import ControlUse, GenerationRequest, LoraUse

DISCORD_INTEGER = 2**53
TEXT = st.text(max_size=200)
_TRICKS = (
    *("@everyone", "@here", "<@80351110224678912>", "<@&41771983423143936>", "<#123>", "<:a:41771983423143936>"),
    *("```", "`", "**", "__", "||", "~~", "\\", "# ", "> ", "-# ", "* ", "\n", "\r\n", "\t", " "),
    *("[a](https://evil.example)", "[b](https://evil.example) ", "https://a.example/_b_", "<https://a.example>"),
    *("😀", "e\u0301", "\u200b", "\ufb00", "x" * 40),
)
NAUGHTY = st.builds(
    lambda parts, times: "".join(parts) * times,
    st.lists(st.sampled_from(_TRICKS) | st.text(max_size=20), max_size=20),
    st.integers(1, 60),
)
"""What people type to see whether it breaks: mentions, markup, emoji, and much of it."""


def said(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Said, or not."""
    return st.just(UNSET) | values


NUMBER = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([float("inf"), float("nan")])
WHOLE = st.integers(-DISCORD_INTEGER, DISCORD_INTEGER)
anything_asked = st.builds(
    GenerationRequest,
    prompt=NAUGHTY,
    negative_prompt=said(NAUGHTY),
    checkpoint=said(TEXT),
    width=said(WHOLE),
    height=said(WHOLE),
    steps=said(WHOLE),
    cfg_scale=said(st.floats()),
    sampler=said(TEXT),
    scheduler=said(TEXT),
    seed=said(WHOLE),
    count=said(WHOLE),
    clip_skip=said(WHOLE),
    styles=said(st.lists(TEXT, max_size=3).map(tuple)),
    loras=said(st.lists(st.builds(LoraUse, TEXT, NUMBER), max_size=3).map(tuple)),
    vae=said(TEXT),
    distilled_cfg=said(NUMBER),
    hires_scale=said(NUMBER),
    hires_steps=said(WHOLE),
    hires_denoising_strength=said(NUMBER),
    denoising_strength=said(NUMBER),
    mask_blur=said(WHOLE),
    inpaint_padding=said(WHOLE),
    face_fix=said(st.booleans()),
    tiling=said(st.booleans()),
    subseed=said(WHOLE),
    subseed_strength=said(NUMBER),
    eta=said(NUMBER),
    spoiler=st.booleans(),
    private=st.booleans(),
)
"""Every option at any value that Discord would hand over, and some that it would not."""

within_limits = st.builds(
    GenerationRequest,
    prompt=NAUGHTY.filter(str.strip),
    negative_prompt=said(NAUGHTY),
    checkpoint=said(NAUGHTY),
    width=said(st.integers(64, 2048)),
    height=said(st.integers(64, 2048)),
    steps=said(st.integers(1, 150)),
    cfg_scale=said(st.floats(1, 30)),
    sampler=said(NAUGHTY),
    scheduler=said(NAUGHTY),
    seed=st.integers(0, 2**32 - 1),
    count=said(st.integers(1, 10)),
    clip_skip=said(st.integers(1, 12)),
    styles=said(st.lists(NAUGHTY, max_size=3).map(tuple)),
    loras=said(st.lists(st.builds(LoraUse, NAUGHTY, st.floats(-4, 4)), max_size=3).map(tuple)),
    vae=said(NAUGHTY),
    distilled_cfg=said(st.floats(0, 30)),
    hires_scale=said(st.floats(1, 2)),
    hires_upscaler=said(NAUGHTY),
    control=said(
        st.tuples(
            st.builds(ControlUse, type=NAUGHTY, weight=st.floats(0, 2), start=st.floats(0, 0.4), end=st.floats(0.5, 1))
        )
    ),
    face_fix=said(st.booleans()),
    spoiler=st.booleans(),
    private=st.booleans(),
)
"""What the limits let through, with the names and prompts of somebody who wants to break a message."""
