"""ComfyUI's graphs, ordinary ones and those of other people's nodes."""

from __future__ import annotations

import json
from typing import Any

from core.images.comfyui import read
from core.images.generation import Metadata
from tests.core.images.graphs import Graph, node, text_to_image


def tell(graph: Graph) -> Metadata:
    found = read({"prompt": json.dumps(graph)})
    assert found is not None
    return found


def test_the_ordinary_graph_is_read() -> None:
    found = tell(text_to_image())
    assert (found.source, found.prompt, found.negative_prompt) == (
        "ComfyUI",
        "a glass bottle, galaxy",
        "text, watermark",
    )
    assert list(found.fields.items()) == [
        ("Steps", "20"),
        ("Sampler", "dpmpp_2m"),
        ("Schedule type", "karras"),
        ("CFG scale", "8.0"),
        ("Seed", "156680208700286"),
        ("Size", "1024x768"),
        ("Model", "sdxl/demo.safetensors"),
    ]
    assert json.loads(found.raw) == text_to_image()


def test_with_a_second_pass_the_first_is_told() -> None:
    graph = text_to_image()
    graph["10"] = node("LatentUpscaleBy", samples=["3", 0], scale_by=1.5)
    graph["11"] = node(
        "KSampler",
        seed=9,
        steps=7,
        cfg=2,
        sampler_name="euler",
        scheduler="normal",
        denoise=0.5,
        model=["4", 0],
        positive=["6", 0],
        negative=["7", 0],
        latent_image=["10", 0],
    )
    graph["8"]["inputs"]["samples"] = ["11", 0]
    found = tell(dict(reversed(graph.items())))
    assert (found.fields["Seed"], found.fields["Steps"], found.fields["Size"]) == ("156680208700286", "20", "1024x768")
    assert "Denoising strength" not in found.fields


def test_the_sampler_of_the_saved_picture_is_told_and_not_one_beside_it() -> None:
    other = {f"1{key}": value for key, value in json.loads(json.dumps(text_to_image())).items() if key != "9"}
    for value in other.values():
        for name, part in value["inputs"].items():
            if isinstance(part, list):
                value["inputs"][name] = [f"1{part[0]}", part[1]]
    other["13"]["inputs"]["seed"] = 1
    other["19"] = node("PreviewImage", images=["18", 0])
    assert tell(other | text_to_image()).fields["Seed"] == "156680208700286"


def test_loras_and_what_was_made_of_an_image() -> None:
    graph = text_to_image()
    graph["20"] = node("LoraLoader", lora_name="ink.safetensors", strength_model=0.75, model=["21", 0], clip=["21", 1])
    graph["21"] = node(
        "Power Lora Loader (rgthree)",
        lora_1={"on": True, "lora": "wash.safetensors", "strength": 1},
        lora_2={"on": False, "lora": "off.safetensors", "strength": 1},
        model=["4", 0],
        clip=["4", 1],
    )
    graph["3"]["inputs"] |= {"model": ["20", 0], "latent_image": ["22", 0], "denoise": 0.6}
    graph["22"] = node("VAEEncode", pixels=["23", 0], vae=["4", 2])
    graph["23"] = node("LoadImage", image="fox.png")
    found = tell(graph)
    assert found.fields["LoRA"] == "ink.safetensors: 0.75, wash.safetensors: 1"
    assert (found.fields["Denoising strength"], "Size" in found.fields) == ("0.6", False)
    assert found.fields["Model"] == "sdxl/demo.safetensors"


def test_flux_with_its_settings_in_nodes_of_their_own() -> None:
    found = tell(
        {
            "5": node("EmptySD3LatentImage", width=["40", 0], height=832, batch_size=1),
            "6": node("CLIPTextEncode", text=["41", 0], clip=["11", 0]),
            "8": node("VAEDecode", samples=["13", 0], vae=["10", 0]),
            "9": node("SaveImage", images=["8", 0]),
            "10": node("VAELoader", vae_name="ae.safetensors"),
            "11": node("DualCLIPLoader", clip_name1="t5xxl.safetensors", clip_name2="clip_l.safetensors", type="flux"),
            "12": node("UNETLoader", unet_name="flux1-dev.safetensors", weight_dtype="default"),
            "13": node(
                "SamplerCustomAdvanced",
                noise=["25", 0],
                guider=["22", 0],
                sampler=["16", 0],
                sigmas=["17", 0],
                latent_image=["5", 0],
            ),
            "16": node("KSamplerSelect", sampler_name="euler"),
            "17": node("BasicScheduler", scheduler="simple", steps=28, denoise=1, model=["30", 0]),
            "22": node("BasicGuider", model=["30", 0], conditioning=["26", 0]),
            "25": node("RandomNoise", noise_seed=219670278747233),
            "26": node("FluxGuidance", guidance=3.5, conditioning=["6", 0]),
            "30": node("ModelSamplingFlux", max_shift=1.15, width=64, height=64, model=["12", 0]),
            "40": node("PrimitiveInt", value=1216),
            "41": node("StringConcatenate", string_a="a fox", string_b=["42", 0], delimiter=", "),
            "42": node("PrimitiveStringMultiline", value="in snow"),
        }
    )
    assert (found.prompt, found.negative_prompt) == ("a fox\nin snow", "")
    assert dict(found.fields) == {
        "Steps": "28",
        "Sampler": "euler",
        "Schedule type": "simple",
        "Distilled CFG Scale": "3.5",
        "Seed": "219670278747233",
        "Size": "1216x832",
        "Model": "flux1-dev.safetensors",
    }


def test_prompts_are_followed_through_controlnet_on_their_own_side() -> None:
    graph = text_to_image()
    graph["30"] = node(
        "ControlNetApplyAdvanced",
        positive=["31", 0],
        negative=["7", 0],
        control_net=["32", 0],
        image=["33", 0],
        strength=1,
    )
    graph["31"] = node("ConditioningCombine", conditioning_1=["6", 0], conditioning_2=["34", 0])
    graph["34"] = node("CLIPTextEncodeSDXL", text_g="a nebula", text_l="a nebula", width=4096, height=4096)
    graph["32"] = node("ControlNetLoader", control_net_name="canny.safetensors")
    graph["33"] = node("LoadImage", image="a.png")
    graph["3"]["inputs"] |= {"positive": ["30", 0], "negative": ["30", 1]}
    found = tell(graph)
    assert (found.prompt, found.negative_prompt) == ("a glass bottle, galaxy\na nebula", "text, watermark")
    assert found.fields["Size"] == "1024x768"


def test_a_negative_of_zeros_has_no_text() -> None:
    graph = text_to_image()
    graph["7"] = node("ConditioningZeroOut", conditioning=["6", 0])
    assert tell(graph).negative_prompt == ""


def test_loaders_that_hold_the_prompts_themselves() -> None:
    found = tell(
        {
            "1": node(
                "Efficient Loader",
                ckpt_name={"content": "demo.safetensors"},
                positive="a cat",
                negative="a dog",
                empty_latent_width=512,
                empty_latent_height=640,
            ),
            "2": node(
                "KSampler (Efficient)",
                seed=["9", 0],
                steps=8,
                cfg=5,
                model=["1", 0],
                positive=["1", 1],
                negative=["1", 2],
                latent_image=["1", 3],
            ),
            "3": node("Image Save", images=["2", 5]),
            "9": node("Seed (rgthree)", seed=77),
        }
    )
    assert (found.prompt, found.negative_prompt) == ("a cat", "a dog")
    assert (found.fields["Seed"], found.fields["Size"], found.fields["Model"]) == ("77", "512x640", "demo.safetensors")


def test_expanded_wildcards_hide_the_text_they_came_from() -> None:
    graph = text_to_image()
    graph["6"]["inputs"]["text"] = ["50", 0]
    graph["50"] = node("ImpactWildcardProcessor", wildcard_text="{a|b} fox", populated_text="b fox", seed=3)
    assert tell(graph).prompt == "b fox"


def test_what_was_on_the_screen_is_read_where_nothing_else_is_there() -> None:
    def shown(number: int, kind: str, widgets: Any, **links: int) -> dict[str, Any]:
        inputs = [{"name": name, "link": link} for name, link in links.items()]
        return {"id": number, "type": kind, "inputs": inputs, "widgets_values": widgets}

    workflow = {
        "nodes": [
            shown(
                3,
                "KSampler",
                [42, "randomize", 12, 6.5, "euler", "normal", 1],
                model=1,
                positive=4,
                negative=6,
                latent_image=2,
            ),
            shown(4, "CheckpointLoaderSimple", ["demo.safetensors"]),
            shown(5, "EmptyLatentImage", [512, 768, 1]),
            shown(6, "CLIPTextEncode", ["a fox"], clip=3),
            shown(7, "CLIPTextEncode", {"text": "blurry"}),
            {
                "id": 8,
                "type": "Unknown Text",
                "inputs": [{"name": "text", "widget": {"name": "text"}, "link": None}],
                "widgets_values": ["x"],
            },
        ],
        "links": [
            [1, 4, 0, 3, 0, "MODEL"],
            [2, 5, 0, 3, 3, "LATENT"],
            [4, 6, 0, 3, 1, "CONDITIONING"],
            {"id": 6, "origin_id": 7, "origin_slot": 0, "target_id": 3, "target_slot": 2, "type": "CONDITIONING"},
            None,
            [],
        ],
    }
    found = read({"workflow": json.dumps(workflow), "prompt": "not json"})
    assert found is not None
    assert (found.prompt, found.negative_prompt) == ("a fox", "blurry")
    assert dict(found.fields) == {
        "Steps": "12",
        "Sampler": "euler",
        "Schedule type": "normal",
        "CFG scale": "6.5",
        "Seed": "42",
        "Size": "512x768",
        "Model": "demo.safetensors",
    }
