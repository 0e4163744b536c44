"""ComfyUI's graphs that nobody can compute, and those of somebody who wants the bot to hang."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.images.comfyui import read
from core.images.generation import MAX_JSON, Metadata
from tests.core.images.graphs import Graph, node, text_to_image


def test_nan_and_numbers_of_any_length_stay_as_they_were_written() -> None:
    graph = json.dumps(text_to_image()).replace("156680208700286", "9" * 5000).replace("8.0", "NaN")
    found = read({"prompt": graph})
    assert found is not None
    assert (found.fields["Seed"], found.fields["CFG scale"]) == ("9" * 5000, "NaN")


@pytest.mark.parametrize(
    "text", ["", "a prompt", "[1]", "{}", '{"a": 1}', '{"a": {"class_type": "X"}}', '{"nodes": 3}']
)
def test_what_is_no_graph_is_none(text: str) -> None:
    assert read({"prompt": text, "workflow": text}) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}}}',
        '{"1": {"class_type": "KSampler", "inputs": {"seed": 1',
        '{"1": {"class_type": "X", "inputs": {"a": ' + "[" * 100_000,
        '{"1": {"class_type": "X", "inputs": {"text": "' + "x" * (1 << 20) + '"}}}',
    ],
    ids=["no sampler", "cut off", "too deep", "too long"],
)
def test_a_graph_that_tells_nothing_is_still_known_for_one(text: str) -> None:
    assert read({"prompt": text}) == Metadata("ComfyUI", raw=text)


def test_links_in_circles_and_to_nowhere_end() -> None:
    graph = text_to_image()
    graph["4"]["inputs"] = {"ckpt_name": ["4", 0], "model": ["3", 0]}
    graph["5"] = node("Reroute", samples=["8", 0])
    graph["6"]["inputs"]["text"] = ["60", 0]
    graph["60"] = node("Text", text=["6", 0])
    graph["7"]["inputs"]["text"] = ["999", 0]
    found = read({"prompt": json.dumps(graph)})
    assert found is not None
    assert (found.prompt, found.negative_prompt, found.fields["Steps"]) == ("", "", "20")


SIZE = 4_000
NEXT = [[str((number + 1) % (SIZE + 1)), 0] for number in range(SIZE)]
LARGE = {
    "a chain": [node("X", image=after, text=after) for after in NEXT],
    "a star": [node("X", image=["0", 0])] * SIZE,
    "a tangle": [node("X", **{f"i{k}": [str(number * k % SIZE), 0] for k in range(9)}) for number in range(SIZE)],
    "a chain of samplers": [node("KSampler", seed=["1", 0], latent=after, positive=after) for after in NEXT],
    "a circle of numbers": [node("KSampler", steps=after, cfg=after, model=after, positive=after) for after in NEXT],
}


@pytest.mark.parametrize("nodes", LARGE.values(), ids=LARGE.keys())
def test_the_largest_graphs_are_read_in_linear_time(nodes: list[Any]) -> None:
    text = json.dumps({str(number): one for number, one in enumerate(nodes)})
    assert len(text) < MAX_JSON
    began = time.process_time()
    assert read({"prompt": text}) is not None
    assert time.process_time() - began < 5  # 0.3 here; quadratic is minutes


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    ["positive", "negative", "text", "model", "seed", "steps", "latent_image", "conditioning", "lora_1", "guidance"]
)
_INPUT = st.tuples(st.sampled_from("123"), st.integers(0, 1)).map(list) | _JSON
_NODE = st.fixed_dictionaries(
    {
        "class_type": st.sampled_from(["KSampler", "SaveImage", "CLIPTextEncode", "X"]),
        "inputs": st.dictionaries(_NAMES, _INPUT),
    }
)


@given(graph=st.dictionaries(st.sampled_from("123"), _NODE | _JSON))
def test_any_graph_is_read_without_an_error(graph: Graph) -> None:
    found = read({"prompt": json.dumps(graph)})
    assert found is None or all(isinstance(value, str) and value for value in found.fields.values())


@given(
    nodes=_JSON
    | st.lists(
        st.fixed_dictionaries({"id": st.integers(1, 3), "type": st.just("KSampler"), "inputs": _JSON})
        | st.fixed_dictionaries(
            {
                "id": st.integers(1, 3),
                "type": st.sampled_from(["KSampler", "CLIPTextEncode"]),
                "inputs": st.lists(st.fixed_dictionaries({"name": _NAMES, "link": st.integers(1, 3)}) | _JSON),
                "widgets_values": _JSON,
            }
        )
    ),
    links=_JSON | st.lists(st.lists(st.integers(1, 3), max_size=5) | _JSON),
)
def test_any_workflow_is_read_without_an_error(nodes: Any, links: Any) -> None:
    read({"workflow": json.dumps({"nodes": nodes, "links": links})})
