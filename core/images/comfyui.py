"""How a picture of ComfyUI was made, read from its graph. It reads texts, believes none of them, and raises nothing.

A graph may hold many samplers: told is the first that worked on the picture, as A1111 tells of a first pass and not of
hires fix. What a node means is guessed from the names of its inputs, since most nodes are other people's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from types import MappingProxyType

from core.images.comfyui_graph import Graph, Link, Node, from_prompt, from_workflow
from core.images.generation import Metadata, Number, as_object, as_text, keep_said, read_object

SOURCE = "ComfyUI"

_FIELDS = {
    "Steps": ("steps",),
    "Sampler": ("sampler_name", "sampler"),
    "Schedule type": ("scheduler",),
    "CFG scale": ("cfg", "cfg_scale"),
    "Seed": ("seed", "noise_seed"),
}
_CHECKPOINTS = ("ckpt_name", "unet_name", "base_ckpt_name", "model_path")
_SIZES = (("width", "height"), ("empty_latent_width", "empty_latent_height"))
_ANY_VALUE = ("value", "int", "float", "number", "string", "text")
_MAX_HOPS = 8  # from a sampler's input to the node that holds the number there are one or two
_MAX_NODES = 2_000  # people's graphs have hundreds at most

_PICTURE = re.compile(r"(?:.*_)?(?:latent|sample|image|pixel)s?(?:_?\d+|_image)?", re.IGNORECASE)
_ASIDE = re.compile(
    r"model|clip|vae|mask|guider|noise|sampler|sigmas|control_?net|style_model|.*clip_vision.*|.*upscale_model",
    re.IGNORECASE,
)
_TEXTS = re.compile(
    r"(?:text|string|prompt|value|clip_[lg]|t5xxl|mt5xl|bert|llama|wildcard_text)(?:_?[a-z0-9])?", re.IGNORECASE
)
_EXPANDED = "populated_text"  # beside the text with its wildcards
_NO_TEXT = "ConditioningZeroOut"
_LOOKS_LIKE_A_GRAPH = re.compile(r'"class_type"\s*:|"widgets_values"\s*:')
_HINTS = ("steps", "sigmas", "guider", "seed", "noise_seed")


def read(texts: Mapping[str, str]) -> Metadata | None:
    """What a graph under `prompt`, else under `workflow`, tells; None where there is no graph.

    The prompt and the fields are empty where no sampler is found in it, or where it can't be read.
    """
    unread = None
    for key, build in (("prompt", from_prompt), ("workflow", from_workflow)):
        raw = texts.get(key, "")
        values = read_object(raw)
        graph = build(values) if values else None
        if graph:
            return _tell(graph, raw)
        if values is None and _LOOKS_LIKE_A_GRAPH.search(raw):
            unread = unread or Metadata(SOURCE, raw=raw)
    return unread


def _tell(graph: Graph, raw: str) -> Metadata:
    sampler = _find_sampler(graph)
    if sampler is None:
        return Metadata(SOURCE, raw=raw)
    settings = _upstream(graph, sampler, _leads_to_settings)
    positive = _find_source(settings, ("positive", "positive_prompt", "conditioning"))
    negative = _find_source(settings, ("negative", "negative_prompt"))
    return Metadata(
        SOURCE,
        _collect_text(graph, positive, "positive"),
        _collect_text(graph, negative, "negative"),
        MappingProxyType(keep_said(_fields(graph, sampler, settings, positive))),
        raw,
    )


def _find_sampler(graph: Graph) -> Node | None:
    """The sampler farthest from the saved picture along the way that the picture took; else any."""
    seen: set[str] = set()
    for end in graph.ends():
        found = [node for node in graph.upstream([end], _leads_to_picture, seen) if _is_sampler(node)]
        if found:
            return found[-1]
    return next(filter(_is_sampler, graph.values()), None)


def _is_sampler(node: Node) -> bool:
    named = "sampl" in node.kind.lower() or {"positive", "negative"} <= node.inputs.keys()
    return named and any(hint in node.inputs for hint in _HINTS) and any(node.links())


def _upstream(graph: Graph, node: Node, follows: Callable[[str], bool]) -> list[Node]:
    starts = [target for name, target in node.links() if follows(name)]
    return [node, *islice(graph.upstream(starts, follows), _MAX_NODES)]


def _leads_to_picture(name: str) -> bool:
    # Inputs of other people's nodes are called anything: what surely leads elsewhere is left out, the rest is tried.
    return not _ASIDE.fullmatch(name) and not _is_conditioning(name)


def _leads_to_settings(name: str) -> bool:
    return not _PICTURE.fullmatch(name) and not _is_conditioning(name)


def _leads_to_text(name: str) -> bool:
    return not _ASIDE.fullmatch(name) and not _PICTURE.fullmatch(name)


def _is_conditioning(name: str) -> bool:
    return name.lower().startswith(("positive", "negative", "conditioning"))


def _fields(
    graph: Graph, sampler: Node, settings: list[Node], positive: Link | str | None
) -> Iterator[tuple[str, str]]:
    for name, keys in _FIELDS.items():
        yield name, _first(graph, settings, keys)
    if isinstance(positive, Link):
        conditioning = islice(graph.upstream([positive.node_id], _leads_to_text), _MAX_NODES)
        yield "Distilled CFG Scale", _first(graph, conditioning, ("guidance",))
    yield "Size", _find_size(graph, chain(_upstream(graph, sampler, _leads_to_picture), settings))
    yield "Model", _first(graph, settings, _CHECKPOINTS)
    yield "LoRA", ", ".join(chain.from_iterable(map(_loras, settings)))
    denoise = _first(graph, settings, ("denoise",))
    yield "Denoising strength", "" if denoise.rstrip("0").rstrip(".") == "1" else denoise


def _first(graph: Graph, nodes: Iterable[Node], keys: tuple[str, ...]) -> str:
    """The value of one of these inputs in the first node that has it; empty where none has."""
    values = (_resolve(graph, node.inputs.get(key), keys) for node in nodes for key in keys)
    return next(filter(None, values), "")


def _resolve(graph: Graph, value: object, keys: tuple[str, ...]) -> str:
    """An input's text or number, through the nodes that it is linked to; empty where there is none."""
    for _ in range(_MAX_HOPS):
        if not isinstance(value, Link):
            return as_text(value) or as_text(as_object(value).get("content"))
        node = graph.get(value.node_id)
        if node is None:
            break
        value = next((node.inputs[key] for key in (*keys, *_ANY_VALUE) if key in node.inputs), None)
    return ""


def _find_size(graph: Graph, nodes: Iterable[Node]) -> str:
    for node in nodes:
        for names in _SIZES:
            width, height = (_resolve(graph, node.inputs.get(name), (name,)) for name in names)
            if width.isdecimal() and height.isdecimal():
                return f"{width}x{height}"
    return ""


def _loras(node: Node) -> Iterator[str]:
    """The LoRAs of a loader of one, or of many whose inputs are objects, each with its strength."""
    one = {"lora": node.inputs.get("lora_name"), "strength": node.inputs.get("strength_model")}
    for value in (one, *map(as_object, node.inputs.values())):
        name = as_text(value.get("lora"))
        if name and name != "None" and value.get("on") is not False:
            strength = as_text(value.get("strength"))
            yield f"{name}: {strength}" if strength else name


def _find_source(nodes: Iterable[Node], names: tuple[str, ...]) -> Link | str | None:
    """Where the text of a prompt comes from."""
    found = (value for node in nodes for name in names if (value := _as_source(node.inputs.get(name))))
    return next(found, None)


def _as_source(value: object) -> Link | str | None:
    if isinstance(value, Link):
        return value
    return value if isinstance(value, str) and not isinstance(value, Number) and value.strip() else None


def _collect_text(graph: Graph, source: Link | str | None, side: str) -> str:
    """Every text that goes into a prompt, in order and each once, a line for each."""
    texts: dict[str, None] = {}
    seen: set[str] = set()
    stack = [source] if source else []
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            texts[value.strip()] = None
        elif value.node_id not in seen:
            seen.add(value.node_id)
            node = graph.get(value.node_id)
            stack.extend(reversed(_sources(node, side)) if node else ())
    return "\n".join(texts)


def _sources(node: Node, side: str) -> list[Link | str]:
    """What a node's text, or conditioning, is made of: of the two in one node that of `side`."""
    if node.kind == _NO_TEXT:
        return []
    for name in (side, f"{side}_prompt", _EXPANDED):
        if same := _as_source(node.inputs.get(name)):
            return [same]
    inputs = [(name, source) for name, value in node.inputs.items() if (source := _as_source(value))]
    own = [source for name, source in inputs if _TEXTS.fullmatch(name)]
    return own or [source for name, source in inputs if isinstance(source, Link) and _leads_to_text(name)]
