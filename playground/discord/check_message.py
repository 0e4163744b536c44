"""Discord's rules for a message body: lengths, embeds, mentions, emptiness. Knows no HTTP and stores nothing."""

from typing import Any, Final

from playground.discord import rules
from playground.discord.check_components import check_components
from playground.discord.errors import ApiError, FormErrors, refusal
from playground.discord.messages import Attachment, Json
from playground.discord.wire_parts import SCHEME, find_attachment

_EMBED_TEXT: Final = {"title": 256, "description": 4096}
_FIELD_TEXT: Final = {"name": 256, "value": 1024}
_MENTION_TYPES: Final = frozenset({"roles", "users", "everyone"})
_CREATE_FLAGS: Final = rules.FLAG_SUPPRESS_EMBEDS | rules.FLAG_SILENT | rules.FLAG_COMPONENTS_V2
_V2_TAKES_NO: Final = ("content", "embeds", "poll", "sticker_ids")


def check_body(body: Json, *, v2: bool) -> None:
    """Raises a 50035 that names every mistake of one message body, whether sent or edited.

    `v2` says whether the message has the components-v2 flag after this request.
    """
    errors = FormErrors()
    errors.at_most("content", body.get("content"), rules.CONTENT)
    errors.at_most("embeds", body.get("embeds"), rules.EMBEDS)
    errors.at_most("attachments", body.get("attachments"), rules.ATTACHMENTS)
    _check_nonce(body.get("nonce"), errors)
    _check_mentions(body.get("allowed_mentions"), errors)
    _check_embeds(body.get("embeds") or [], errors)
    for index, attachment in enumerate(body.get("attachments") or []):
        path = f"attachments.{index}"
        errors.at_most(f"{path}.description", attachment.get("description"), rules.ATTACHMENT_DESCRIPTION)
    if v2:
        for key in _V2_TAKES_NO:
            if body.get(key):
                errors.add(
                    key,
                    "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                    f"The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
                )
    check_components(body.get("components") or [], v2=v2, errors=errors)
    errors.raise_if_any()


def accepted_flags(body: Json, *, ephemeral_allowed: bool) -> int:
    """The flags of a new message that a bot may set; others are ignored, as Discord does."""
    allowed = _CREATE_FLAGS | (rules.FLAG_EPHEMERAL if ephemeral_allowed else 0)
    return asked_flags(body) & allowed


def asked_flags(body: Json) -> int:
    flags = body.get("flags") or 0
    if not isinstance(flags, int):
        errors = FormErrors()
        errors.add("flags", "NUMBER_TYPE_COERCE", f"Value {flags!r} is not int.")
        errors.raise_if_any()
        return 0
    return flags


def edited_flags(body: Json, before: int) -> int:
    """Flags after an edit: embeds may be hidden and shown, components v2 only switched on."""
    if body.get("flags") is None:
        return before
    wanted = asked_flags(body)
    flags = (before & ~rules.FLAG_SUPPRESS_EMBEDS) | (wanted & rules.FLAG_SUPPRESS_EMBEDS)
    return flags | (wanted & rules.FLAG_COMPONENTS_V2)


def check_result(
    content: str, embeds: list[Json], components: list[Json], attachments: list[Attachment], *, v2: bool
) -> None:
    """What the message would be: not empty, and every `attachment://` name is there."""
    something = components if v2 else content.strip() or embeds or attachments
    if not something:
        raise refusal(50006)
    errors = FormErrors()
    for path, url in (*_embed_urls(embeds), *_component_urls(components, "components")):
        if url.startswith(SCHEME) and find_attachment(url, attachments) is None:
            errors.add(path, "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", f"Unknown reference {url}")
    errors.raise_if_any()


def _check_nonce(nonce: Any, errors: FormErrors) -> None:
    if isinstance(nonce, str) and len(nonce) > rules.NONCE:
        errors.add("nonce", "NONCE_TYPE_TOO_LONG", f"Must be {rules.NONCE} or fewer in length.")
    elif not isinstance(nonce, str | int | None):
        errors.add("nonce", "BASE_TYPE_BAD_TYPE", "Must be a string or an integer.")


def _check_mentions(allowed: Any, errors: FormErrors) -> None:
    if not allowed:
        return
    parse = allowed.get("parse") or []
    if unknown := set(parse) - _MENTION_TYPES:
        errors.add(
            "allowed_mentions.parse", "BASE_TYPE_CHOICES", f"Value must be one of roles, users, everyone: {unknown}"
        )
    for kind in ("users", "roles"):
        listed = allowed.get(kind) or []
        errors.at_most(f"allowed_mentions.{kind}", listed, 100)
        if listed and kind in parse:
            message = f'"parse" contains "{kind}" and "{kind}" is not empty'
            errors.add("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message)


def _check_embeds(embeds: list[Json], errors: FormErrors) -> None:
    total = 0
    for index, embed in enumerate(embeds):
        total += _check_embed(embed, f"embeds.{index}", errors)
    if total > rules.EMBED_TOTAL:
        message = f"Embed size exceeds maximum size of {rules.EMBED_TOTAL}"
        errors.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", message)


def _check_embed(embed: Json, path: str, errors: FormErrors) -> int:
    """Returns the characters that count towards the total of all embeds."""
    texts = [(key, embed.get(key), high) for key, high in _EMBED_TEXT.items()]
    texts.append(("footer.text", (embed.get("footer") or {}).get("text"), 2048))
    texts.append(("author.name", (embed.get("author") or {}).get("name"), 256))
    fields = embed.get("fields") or []
    errors.at_most(f"{path}.fields", fields, rules.EMBED_FIELDS)
    for index, field in enumerate(fields):
        for key, high in _FIELD_TEXT.items():
            texts.append((f"fields.{index}.{key}", field.get(key), high))
            if not field.get(key):
                errors.required(f"{path}.fields.{index}.{key}")
    for key, text, high in texts:
        errors.at_most(f"{path}.{key}", text, high)
    return sum(len(text) for _, text, _ in texts if isinstance(text, str))


def _embed_urls(embeds: list[Json]) -> list[tuple[str, str]]:
    places = (("image", "url"), ("thumbnail", "url"), ("footer", "icon_url"), ("author", "icon_url"))
    return [
        (f"embeds.{index}.{part}.{key}", str((embed.get(part) or {}).get(key) or ""))
        for index, embed in enumerate(embeds)
        for part, key in places
    ]


def _component_urls(components: list[Json], path: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for index, component in enumerate(components):
        here = f"{path}.{index}"
        found += _component_urls(component.get("components") or [], f"{here}.components")
        found += _component_urls(component.get("items") or [], f"{here}.items")
        if isinstance(component.get("accessory"), dict):
            found += _component_urls([component["accessory"]], f"{here}.accessory")
        for key in ("media", "file"):
            if isinstance(component.get(key), dict):
                found.append((f"{here}.{key}.url", str(component[key].get("url") or "")))
    return found


def check_choices(choices: Any) -> None:
    """The suggestions of an autocomplete callback."""
    errors = FormErrors()
    if not isinstance(choices, list):
        raise ApiError(400, 50035, "Invalid Form Body", {"data": {"choices": {"_errors": []}}})
    errors.at_most("data.choices", choices, rules.CHOICES)
    for index, choice in enumerate(choices):
        path = f"data.choices.{index}"
        errors.length(f"{path}.name", choice.get("name"), 1, rules.CHOICE_TEXT)
        value = choice.get("value")
        if isinstance(value, str):
            errors.at_most(f"{path}.value", value, rules.CHOICE_TEXT)
        elif isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > rules.SAFE_INTEGER:
            errors.add(f"{path}.value", "BASE_TYPE_BAD_TYPE", "Must be a string or a number within 2^53.")
    errors.raise_if_any()
