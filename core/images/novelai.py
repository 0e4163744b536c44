"""NovelAI's keys: `Software`, `Description`, `Source` and the JSON in `Comment`. It reads texts and raises nothing.

Since its fourth model the prompt is an object with a base caption and one for each character; before, the prompt stood
in `Description` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from core.images.generation import Metadata, as_list, as_object, as_text, keep_said, pick, read_object, size_of

SOURCE = "NovelAI"

_FIELDS = {
    "steps": "Steps",
    "sampler": "Sampler",
    "noise_schedule": "Schedule type",
    "scale": "CFG scale",
    "cfg_rescale": "CFG rescale",
    "seed": "Seed",
}
_IMAGE_FIELDS = {"strength": "Denoising strength", "noise": "Noise"}
_TEXT_TO_IMAGE = ("", "PromptGenerateRequest")
_RAW_KEYS = ("Title", "Description", "Software", "Source", "Comment")


def read(texts: Mapping[str, str]) -> Metadata | None:
    """What NovelAI wrote; None where these texts aren't its own."""
    comment = read_object(texts.get("Comment", "")) or {}
    is_its_own = texts.get("Software", "").strip() == SOURCE or {"uc", "sampler"} <= comment.keys()
    if not is_its_own:
        return None
    positive, negative = _caption(comment, "v4_prompt"), _caption(comment, "v4_negative_prompt")
    prompt = as_text(positive.get("base_caption")) or as_text(comment.get("prompt"))
    fields = pick(comment, _FIELDS) | keep_said(_further(comment, texts))
    return Metadata(
        source=SOURCE,
        prompt=prompt or texts.get("Description", "").strip(),
        negative_prompt=as_text(negative.get("base_caption")) or as_text(comment.get("uc")),
        fields=MappingProxyType(fields | keep_said(_characters(positive, negative))),
        raw="\n".join(f"{key}: {texts[key]}" for key in _RAW_KEYS if texts.get(key)),
    )


def _further(comment: Mapping[str, object], texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield "Size", size_of(comment)
    yield "Model", texts.get("Source", "").strip()
    if as_text(comment.get("request_type")) not in _TEXT_TO_IMAGE:  # in other pictures the two are there and unused
        yield from pick(comment, _IMAGE_FIELDS).items()


def _caption(comment: Mapping[str, object], key: str) -> dict[str, object]:
    return as_object(as_object(comment.get(key)).get("caption"))


def _characters(positive: Mapping[str, object], negative: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, caption in (("Character", positive), ("Character negative", negative)):
        for number, character in enumerate(as_list(caption.get("char_captions")), 1):
            yield f"{name} {number}", as_text(as_object(character).get("char_caption"))
