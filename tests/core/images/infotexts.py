"""Infotexts for the tests: six, one of each manner, and what they say. Nothing here uses the code under test."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """A text, and the parts it is made of."""

    name: str
    prompt: str
    negative_line: str
    negative_prompt: str
    line: str
    fields: dict[str, str]

    @property
    def text(self) -> str:
        """As the webui wrote it."""
        return "\n".join(part for part in (self.prompt, self.negative_line, self.line) if part)


SIX = (
    Example(
        "plain",
        "a lighthouse at dusk, oil painting",
        "Negative prompt: blurry, text",
        "blurry, text",
        "Steps: 24, Sampler: Euler a, Schedule type: Automatic, CFG scale: 6.5, Seed: 1234567890, Size: 640x896, "
        "Model hash: 0a1b2c3d4e, Model: demoMix_v3, Clip skip: 2, Version: v1.10.1",
        {
            "Steps": "24",
            "Sampler": "Euler a",
            "Schedule type": "Automatic",
            "CFG scale": "6.5",
            "Seed": "1234567890",
            "Size": "640x896",
            "Model hash": "0a1b2c3d4e",
            "Model": "demoMix_v3",
            "Clip skip": "2",
            "Version": "v1.10.1",
        },
    ),
    Example(
        "hires",
        "portrait of a fox in a cloak <lora:inkwash:0.8>",
        "Negative prompt: lowres",
        "lowres",
        "Steps: 30, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 42, Size: 512x768, "
        "Model hash: 6ce0161689, Model: examplePruned, VAE hash: 735e4c3a44, VAE: demo-vae.safetensors, "
        "Denoising strength: 0.45, Hires upscale: 1.5, Hires steps: 12, Hires upscaler: R-ESRGAN 4x+, "
        'Lora hashes: "inkwash: 9f8e7d6c5b4a", Version: v1.10.1',
        {
            "Steps": "30",
            "Sampler": "DPM++ 2M",
            "Schedule type": "Karras",
            "CFG scale": "7",
            "Seed": "42",
            "Size": "512x768",
            "Model hash": "6ce0161689",
            "Model": "examplePruned",
            "VAE hash": "735e4c3a44",
            "VAE": "demo-vae.safetensors",
            "Denoising strength": "0.45",
            "Hires upscale": "1.5",
            "Hires steps": "12",
            "Hires upscaler": "R-ESRGAN 4x+",
            "Lora hashes": "inkwash: 9f8e7d6c5b4a",
            "Version": "v1.10.1",
        },
    ),
    Example(
        "modules",
        "first line of the prompt\nsecond line, (weighted:1.2)",
        "",
        "",
        "Steps: 4, Sampler: Euler, Schedule type: Simple, CFG scale: 1, Distilled CFG Scale: 3.5, Seed: 7, "
        "Size: 1024x1024, Model hash: aabbccddee, Model: fluxDemo, Module 1: ae, Module 2: clip_l, "
        "Module 3: t5xxl_fp16, Version: f2.0.1v1.10.1",
        {
            "Steps": "4",
            "Sampler": "Euler",
            "Schedule type": "Simple",
            "CFG scale": "1",
            "Distilled CFG Scale": "3.5",
            "Seed": "7",
            "Size": "1024x1024",
            "Model hash": "aabbccddee",
            "Model": "fluxDemo",
            "Module 1": "ae",
            "Module 2": "clip_l",
            "Module 3": "t5xxl_fp16",
            "Version": "f2.0.1v1.10.1",
        },
    ),
    Example(
        "escapes",
        "castle",
        "Negative prompt: fog",
        "fog",
        "Steps: 20, Sampler: DDIM, CFG scale: 7, Seed: 99, Size: 512x512, Model: base, "
        'Hires prompt: "castle, sunrise: \\"golden\\" hour\\nwide shot", Hires upscaler: Latent, '
        "Denoising strength: 0.7, Version: v1.9.4",
        {
            "Steps": "20",
            "Sampler": "DDIM",
            "CFG scale": "7",
            "Seed": "99",
            "Size": "512x512",
            "Model": "base",
            "Hires prompt": 'castle, sunrise: "golden" hour\nwide shot',
            "Hires upscaler": "Latent",
            "Denoising strength": "0.7",
            "Version": "v1.9.4",
        },
    ),
    Example(
        "inpaint",
        "woman reading, library",
        "Negative prompt: bad hands",
        "bad hands",
        "Steps: 28, Sampler: DPM++ SDE, Schedule type: Karras, CFG scale: 5, Seed: 4294967293, Size: 768x512, "
        "Model hash: 1122334455, Model: realDemo, Denoising strength: 0.6, Conditional mask weight: 1.0, Mask blur: 4, "
        "Inpaint area: Only masked, Masked area padding: 32, ADetailer model: face_yolov8n.pt, "
        'ADetailer prompt: "calm face, smile", ADetailer confidence: 0.3, Version: v1.10.1',
        {
            "Steps": "28",
            "Sampler": "DPM++ SDE",
            "Schedule type": "Karras",
            "CFG scale": "5",
            "Seed": "4294967293",
            "Size": "768x512",
            "Model hash": "1122334455",
            "Model": "realDemo",
            "Denoising strength": "0.6",
            "Conditional mask weight": "1.0",
            "Mask blur": "4",
            "Inpaint area": "Only masked",
            "Masked area padding": "32",
            "ADetailer model": "face_yolov8n.pt",
            "ADetailer prompt": "calm face, smile",
            "ADetailer confidence": "0.3",
            "Version": "v1.10.1",
        },
    ),
    Example(
        "SD.Next",
        "a red bicycle",
        "Negative prompt: ",
        "",
        "Steps: 20, Size: 1024x1024, Sampler: Euler a, Scheduler: EulerAncestralDiscreteScheduler, Seed: 2718281828, "
        "CFG scale: 6.0, App: SD.Next, Version: abcdef1, Pipeline: StableDiffusionXLPipeline, Operations: txt2img, "
        "Model: demoXL, Model hash: 55aa55aa55",
        {
            "Steps": "20",
            "Size": "1024x1024",
            "Sampler": "Euler a",
            "Scheduler": "EulerAncestralDiscreteScheduler",
            "Seed": "2718281828",
            "CFG scale": "6.0",
            "App": "SD.Next",
            "Version": "abcdef1",
            "Pipeline": "StableDiffusionXLPipeline",
            "Operations": "txt2img",
            "Model": "demoXL",
            "Model hash": "55aa55aa55",
        },
    ),
)
