"""ComfyUI's graph as it stands in a picture: nodes, their inputs, and what links to what. It knows no meaning of any.

Two texts hold one: `prompt`, what was computed, with every input by its name; `workflow`, what was on the screen, whose
widgets have values by their place alone. Links may lead nowhere or in a circle: every walk visits a node once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from core.images.generation import Number, as_list, as_object, as_text

_WIDGETS = {
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "CFGGuider": ("cfg",),
    "CLIPTextEncode": ("text",),
    "CLIPTextEncodeFlux": ("clip_l", "t5xxl", "guidance"),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "EmptyLatentImage": ("width", "height", "batch_size"),
    "EmptySD3LatentImage": ("width", "height", "batch_size"),
    "FluxGuidance": ("guidance",),
    "KSampler": ("seed", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": ("add_noise", "noise_seed", "steps", "cfg", "sampler_name", "scheduler"),
    "KSamplerSelect": ("sampler_name",),
    "LoraLoader": ("lora_name", "strength_model", "strength_clip"),
    "LoraLoaderModelOnly": ("lora_name", "strength_model"),
    "PrimitiveNode": ("value",),
    "RandomNoise": ("noise_seed",),
    "SamplerCustom": ("add_noise", "noise_seed", "cfg"),
    "UNETLoader": ("unet_name", "weight_dtype"),
}
_SEEDS = ("seed", "noise_seed")
_AFTER_A_SEED = ("fixed", "increment", "decrement", "randomize")


@dataclass(frozen=True, slots=True)
class Link:
    """An input that comes out of another node."""

    node_id: str


@dataclass(frozen=True, slots=True)
class Node:
    """`kind` is ComfyUI's `class_type`; an input is a `Link` or what JSON had there."""

    kind: str
    inputs: Mapping[str, object]

    def links(self) -> Iterator[tuple[str, str]]:
        """The inputs that are links: their names, and the ids of the nodes."""
        for name, value in self.inputs.items():
            if isinstance(value, Link):
                yield name, value.node_id


class Graph(dict[str, Node]):
    """The nodes by their ids, in the order in which they were written."""

    def upstream(
        self, starts: Iterable[str], follows: Callable[[str], bool], seen: set[str] | None = None
    ) -> Iterator[Node]:
        """The nodes from `starts` on against the links whose names `follows` takes, nearest first, each once.

        Those in `seen`, to which these are added, are left out.
        """
        seen = set() if seen is None else seen
        queue = deque(start for start in dict.fromkeys(starts) if start not in seen)
        seen.update(queue)
        while queue:
            node = self.get(queue.popleft())
            if node is None:
                continue
            yield node
            fresh = [target for name, target in node.links() if follows(name) and target not in seen]
            queue.extend(dict.fromkeys(fresh))
            seen.update(fresh)

    def ends(self) -> list[str]:
        """The ids of the nodes that nothing links to, those that save a picture first."""
        used = {target for node in self.values() for _, target in node.links()}
        ends = [node_id for node_id in self if node_id not in used]
        return sorted(ends, key=lambda node_id: "save" not in self[node_id].kind.lower())


def from_prompt(values: Mapping[str, object]) -> Graph:
    """The graph of a `prompt`; empty where it is none."""
    graph = Graph()
    for node_id, value in values.items():
        node = as_object(value)
        kind, inputs = node.get("class_type"), node.get("inputs")
        if isinstance(kind, str) and isinstance(inputs, dict):
            graph[node_id] = Node(kind, {name: _as_input(part) for name, part in inputs.items()})
    return graph


def _as_input(value: object) -> object:
    match value:
        case [str() as node_id, Number()]:
            return Link(str(node_id))
    return value


def from_workflow(values: Mapping[str, object]) -> Graph:
    """The graph of a `workflow`; empty where it is none."""
    origins = dict(filter(None, map(_origin, as_list(values.get("links")))))
    graph = Graph()
    for value in as_list(values.get("nodes")):
        node = as_object(value)
        node_id, kind = as_text(node.get("id")), as_text(node.get("type"))
        if node_id and kind:
            slots = [as_object(slot) for slot in as_list(node.get("inputs"))]
            linked = {
                as_text(slot.get("name")): Link(origins[link])
                for slot in slots
                if (link := as_text(slot.get("link"))) in origins
            }
            graph[node_id] = Node(kind, _widgets(kind, slots, node.get("widgets_values")) | linked)
    return graph


def _origin(link: object) -> tuple[str, str] | None:
    """A link's id and the node it comes from: `[id, from, slot, to, slot, type]`, or an object in subgraphs."""
    match link:
        case [str() as link_id, str() as origin, *_]:
            return str(link_id), str(origin)
        case {"id": str() as link_id, "origin_id": str() as origin}:
            return str(link_id), str(origin)
    return None


def _widgets(kind: str, slots: list[dict[str, object]], values: object) -> dict[str, object]:
    """The values of a node's widgets by their names, as far as the names are known."""
    if isinstance(values, dict):
        return dict(values)
    names = _WIDGETS.get(kind) or tuple(as_text(as_object(slot.get("widget")).get("name")) for slot in slots)
    left = deque(as_list(values))
    named: dict[str, object] = {}
    for name in filter(None, names):
        if not left:
            break
        named[name] = left.popleft()
        if name in _SEEDS and left and left[0] in _AFTER_A_SEED:
            left.popleft()
    return named
