"""Embeds and components as Discord gives them back: numbered, complete, with media resolved. Checks nothing."""

from typing import Any, Final

from playground.discord.messages import Attachment, Json

SCHEME: Final = "attachment://"
ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
SELECTS: Final = frozenset({3, 5, 6, 7, 8})
SECTION, TEXT_DISPLAY, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER = 9, 10, 11, 12, 13, 14, 17
LABEL, FILE_UPLOAD, RADIO, CHECKBOXES, CHECKBOX = 18, 19, 21, 22, 23


def number_components(components: list[Json]) -> list[Json]:
    """Copies components and gives each that has none its `id`: 1, 2, 3, … outer ones first."""
    counter = [0]
    return [_numbered(component, counter) for component in components]


def _numbered(component: Json, counter: list[int]) -> Json:
    counter[0] += 1
    copy = {**component, "id": component.get("id") or counter[0]}
    if isinstance(copy.get("components"), list):
        copy["components"] = [_numbered(child, counter) for child in copy["components"]]
    for key in ("accessory", "component"):
        if isinstance(copy.get(key), dict):
            copy[key] = _numbered(copy[key], counter)
    return copy


def component_json(component: Json, attachments: list[Attachment]) -> Json:
    kind = component["type"]
    payload = {key: value for key, value in component.items() if value is not None}
    if isinstance(component.get("emoji"), dict):  # a Unicode one comes back without an id
        payload["emoji"] = {key: value for key, value in component["emoji"].items() if value is not None}
    if "components" in component:
        payload["components"] = [component_json(child, attachments) for child in component["components"]]
    if isinstance(component.get("accessory"), dict):
        payload["accessory"] = component_json(component["accessory"], attachments)
    if isinstance(component.get("emoji"), dict):
        payload["emoji"] = {key: value for key, value in component["emoji"].items() if value is not None}
    return payload | _completed(kind, component, attachments)


def _completed(kind: int, component: Json, attachments: list[Attachment]) -> Json:
    """The keys Discord always gives back for that kind, though they may be left out when sending."""
    spoiler = bool(component.get("spoiler"))
    match kind:
        case 3 | 5 | 6 | 7 | 8:
            return {"min_values": component.get("min_values", 1), "max_values": component.get("max_values", 1)}
        case 11:
            media = _media(component["media"], attachments)
            return {"media": media, "description": component.get("description"), "spoiler": spoiler}
        case 12:
            return {"items": [_gallery_item(item, attachments) for item in component["items"]]}
        case 13:
            media = _media(component["file"], attachments)
            found = find_attachment(component["file"]["url"], attachments)
            name, size = (found.filename, found.size) if found else (None, None)
            return {"file": media, "name": name, "size": size, "spoiler": spoiler}
        case 14:
            return {"spacing": component.get("spacing", 1), "divider": component.get("divider", True)}
        case 17:
            return {"accent_color": component.get("accent_color"), "spoiler": spoiler}
        case _:
            return {}


def _gallery_item(item: Json, attachments: list[Attachment]) -> Json:
    return {
        "media": _media(item["media"], attachments),
        "description": item.get("description"),
        "spoiler": bool(item.get("spoiler")),
    }


def find_attachment(url: Any, attachments: list[Attachment]) -> Attachment | None:
    """The attachment an `attachment://name` means, else the one this URL serves, else None."""
    if not isinstance(url, str):
        return None
    if url.startswith(SCHEME):
        return next((a for a in attachments if a.filename == url.removeprefix(SCHEME)), None)
    return next((a for a in attachments if a.url == url), None)


def _media(media: Json, attachments: list[Attachment]) -> Json:
    found = find_attachment(media["url"], attachments)
    if found is None:
        return {"id": "0", "url": media["url"], "proxy_url": media["url"], "width": None, "height": None}
    return {
        "id": str(found.id),
        "url": found.url,
        "proxy_url": found.url,
        "width": found.width,
        "height": found.height,
        "content_type": found.content_type,
        "attachment_id": str(found.id),
    }


def embed_json(embed: Json, attachments: list[Attachment]) -> Json:
    payload = {key: value for key, value in embed.items() if value is not None} | {"type": "rich"}
    for key in ("image", "thumbnail"):
        if isinstance(payload.get(key), dict):
            payload[key] = payload[key] | _resolved(payload[key], "url", attachments)
    for key in ("footer", "author"):
        if isinstance(payload.get(key), dict):
            payload[key] = payload[key] | _resolved(payload[key], "icon_url", attachments)
    if "fields" in payload:
        payload["fields"] = [{"inline": False} | field for field in payload["fields"]]
    return payload


def _resolved(part: Json, key: str, attachments: list[Attachment]) -> Json:
    found = find_attachment(part.get(key), attachments)
    if found is None:
        return {}
    size = {"width": found.width, "height": found.height} if found.width and key == "url" else {}
    return {key: found.url, f"proxy_{key}": found.url, **size}
