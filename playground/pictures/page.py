"""A message as Discord's client shows it, in HTML for the web components of @skyra/discord-components-core. Pure."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from playground.discord import Attachment, Message

_BLOCK: Final = re.compile(r"```(?:[a-z]*\n)?(.*?)\n?```\n?", re.DOTALL)
_INLINE: Final = re.compile(
    r"<t:\d+:R>|\*\*(?P<bold>.+?)\*\*|`(?P<code>[^`]+)`|\[(?P<text>[^\]]+)\]\(<?(?P<link>[^)>]+)>?\)|\\(?P<plain>[^a-zA-Z0-9\s])"
)
_STYLES: Final = {1: "primary", 2: "secondary", 3: "success", 4: "destructive"}
_PRE: Final = (
    "background:#2b2d31;border:1px solid #1e1f22;border-radius:4px;padding:7px;margin:4px 0;max-width:560px;"
    "white-space:pre-wrap"
)


def page(messages: Iterable[str], script: str) -> str:
    """A whole page; `script` is the address of the bundled web components."""
    style = "html{zoom:1}body{margin:0;background:#36393e;width:760px}discord-messages{border:0}"
    body = "\n".join(messages)
    return (
        f'<!doctype html><meta charset="utf-8"><style>{style}</style><script src="{script}"></script>'
        f'<discord-messages id="all">{body}</discord-messages>'
    )


def show(message: Message, *, asked_by: str, command: str, avatar: str) -> str:
    """One message of the bot's, in answer to a command."""
    told = (
        f'<discord-command slot="reply" author="{asked_by}" avatar="{avatar}" command="{html.escape(command)}">'
        "</discord-command>"
    )
    private = " ephemeral" if message.ephemeral else ""
    files = {attachment.filename: attachment for attachment in message.attachments}
    parts = [told, _text(message.content)]
    rows = [one for one in message.components if one["type"] == 1]
    others = [one for one in message.components if one["type"] != 1]
    parts += [_component(one, files) for one in others]
    pictures = [] if others else list(message.attachments)
    held = "".join(map(_picture, pictures)) + "".join(map(_row, rows))
    parts.append(f'<discord-attachments slot="components">{held}</discord-attachments>' if held else "")
    return (
        f'<discord-message author="Easel" avatar="{avatar}" bot timestamp="Today at 21:04"{private}>'
        f"{''.join(parts)}</discord-message>"
    )


def picture_url(data: bytes, content_type: str) -> str:
    """The bytes as an address."""
    return f"data:{content_type};base64,{base64.b64encode(data).decode()}"


def _component(component: Mapping[str, Any], files: Mapping[str, Attachment]) -> str:
    """Components of the second version: containers, sections, texts, thumbnails, galleries."""
    draw = _DRAWN.get(component["type"], _children)
    return draw(component, files)


def _children(component: Mapping[str, Any], files: Mapping[str, Attachment]) -> str:
    return "".join(_component(one, files) for one in component.get("components") or [])


def _section(component: Mapping[str, Any], files: Mapping[str, Attachment]) -> str:
    side = _component(component["accessory"], files)
    texts = _children(component, files)
    return f'<div style="display:flex;gap:12px;margin:6px 0"><div style="flex:1">{texts}</div>{side}</div>'


def _gallery(component: Mapping[str, Any], files: Mapping[str, Attachment]) -> str:
    return "".join(_image(item["media"]["url"], files, 220) for item in component["items"])


def _container(component: Mapping[str, Any], files: Mapping[str, Attachment]) -> str:
    box = "border:1px solid #4e5058;border-radius:8px;padding:12px;margin-top:6px;max-width:560px"
    return f'<div style="{box}">{_children(component, files)}</div>'


_DRAWN: Final[Mapping[int, Callable[[Mapping[str, Any], Mapping[str, Attachment]], str]]] = {
    1: lambda row, _: _row(row),
    2: lambda button, _: f'<div style="align-self:center">{_row({"components": [button]})}</div>',
    9: _section,
    10: lambda text, _: f"<div>{_text(text['content'])}</div>",
    11: lambda thumbnail, files: _image(thumbnail["media"]["url"], files, 84),
    12: _gallery,
    14: lambda _, __: '<hr style="border:0;border-top:1px solid #4e5058;margin:8px 0">',
    17: _container,
}


def _image(url: str, files: Mapping[str, Attachment], side: int) -> str:
    attachment = files.get(url.removeprefix("attachment://"))
    if attachment is None:
        return ""
    source = picture_url(attachment.data, attachment.content_type)
    return f'<img src="{source}" style="width:{side}px;height:{side}px;object-fit:cover;border-radius:8px;margin:2px">'


def _row(row: Mapping[str, Any]) -> str:
    held = "".join(_button(one) if one["type"] == 2 else _select(one) for one in row["components"])
    return f"<discord-action-row>{held}</discord-action-row>"


def _button(button: Mapping[str, Any]) -> str:
    emoji = (button.get("emoji") or {}).get("name") or ""
    label = html.escape(f"{emoji} {button.get('label') or ''}".strip())
    disabled = " disabled" if button.get("disabled") else ""
    return f'<discord-button type="{_STYLES.get(button["style"], "secondary")}"{disabled}>{label}</discord-button>'


def _select(menu: Mapping[str, Any]) -> str:
    said = html.escape(menu.get("placeholder") or "")
    return f'<discord-string-select-menu placeholder="{said}"></discord-string-select-menu>'


def _picture(attachment: Attachment) -> str:
    source = picture_url(attachment.data, attachment.content_type)
    width, height = attachment.width or 1, attachment.height or 1
    scale = min(1.0, 360 / max(width, height))
    return (
        f'<img src="{source}" style="width:{round(width * scale)}px;height:{round(height * scale)}px;'
        'border-radius:8px;margin:4px 4px 4px 0">'
    )


def _text(content: str) -> str:
    pieces: list[str] = []
    for number, part in enumerate(_BLOCK.split(content)):
        if number % 2:
            block = (
                "background:#2b2d31;border:1px solid #1e1f22;border-radius:4px;padding:7px;margin:4px 0;max-width:560px"
            )
            pieces.append(f'<pre style="{block};white-space:pre-wrap">{html.escape(part)}</pre>')
        else:
            pieces += [_line(line) for line in part.splitlines() if line]
    return "".join(pieces)


def _line(line: str) -> str:
    small = line.startswith("-# ")
    said = _inline(line.removeprefix("-# "))
    return f'<div style="font-size:13px;color:#b5bac1">{said}</div>' if small else f"<div>{said}</div>"


def _inline(text: str) -> str:
    said, at = [], 0
    for found in _INLINE.finditer(text):
        said.append(html.escape(text[at : found.start()]))
        at = found.end()
        if found["bold"]:
            said.append(f"<b>{_inline(found['bold'])}</b>")
        elif found["code"]:
            code = "background:#2b2d31;border-radius:3px;padding:0 3px;font-family:monospace"
            said.append(f'<span style="{code}">{html.escape(found["code"])}</span>')
        elif found["link"]:
            said.append(f'<span style="color:#00a8fc">{html.escape(found["text"])}</span>')
        else:
            said.append(html.escape(found["plain"] or "a minute ago"))
    return "".join([*said, html.escape(text[at:])])
