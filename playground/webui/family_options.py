"""The options in which Forge and reForge differ from A1111: a selection of what they were recorded with. Data only."""

from typing import Any

from playground.webui.options import DEFAULTS

_WITHOUT_COMMENTS = {key: value for key, value in DEFAULTS.items() if key != "enable_prompt_comments"}

FORGE_DEFAULTS: dict[str, Any] = {
    **DEFAULTS,
    "jpeg_quality": 80.0,
    "eta_noise_seed_delta": 0,
    "forge_try_reproduce": "None",
    "forge_unet_storage_dtype": "Automatic",
    "forge_inference_memory": 1024.0,
    "forge_async_loading": "Queue",
    "forge_pin_shared_memory": "CPU",
    "forge_preset": "sd",
    "forge_additional_modules": [],
    "forge_canvas_plain": False,
    "forge_canvas_toolbar_always": False,
}

REFORGE_DEFAULTS: dict[str, Any] = {
    **_WITHOUT_COMMENTS,
    "img_max_size_mp": 200,
    "ESRGAN_tile": 256,
    "ESRGAN_tile_overlap": 32,
    "sd_checkpoints_limit": 1,
    "comma_padding_backtrack": 20,
    "CLIP_stop_at_last_layers": 1,
    "interrogate_clip_num_beams": 1,
    "show_progress_every_n_steps": 10,
    "eta_noise_seed_delta": 0,
    "sd_text_encoder": "Automatic",
    "sd_sampling": "A1111",
}
