"""The webui's options: what GET and POST /options and `override_settings` read and write. No HTTP."""

from collections.abc import Mapping
from typing import Any

from playground.webui.catalog import INSTALL_DIR
from playground.webui.errors import CrashError

DEFAULTS: dict[str, Any] = {
    "samples_save": True,
    "samples_format": "png",
    "samples_filename_pattern": "",
    "save_images_add_number": True,
    "grid_save": True,
    "grid_format": "png",
    "grid_only_if_multiple": True,
    "enable_pnginfo": True,
    "save_txt": False,
    "jpeg_quality": 80,
    "webp_lossless": False,
    "export_for_4chan": True,
    "img_max_size_mp": 200.0,
    "temp_dir": "",
    "outdir_samples": "",
    "outdir_txt2img_samples": f"{INSTALL_DIR}/outputs/txt2img-images",
    "outdir_img2img_samples": f"{INSTALL_DIR}/outputs/img2img-images",
    "outdir_extras_samples": f"{INSTALL_DIR}/outputs/extras-images",
    "outdir_grids": "",
    "outdir_save": f"{INSTALL_DIR}/log/images",
    "directories_filename_pattern": "[date]",
    "ESRGAN_tile": 192.0,
    "ESRGAN_tile_overlap": 8.0,
    "upscaler_for_img2img": None,
    "face_restoration": False,
    "face_restoration_model": "CodeFormer",
    "code_former_weight": 0.5,
    "api_enable_requests": True,
    "api_forbid_local_requests": True,
    "api_useragent": "",
    "sd_model_checkpoint": None,
    "sd_checkpoint_hash": "",
    "sd_checkpoints_limit": 1.0,
    "sd_checkpoints_keep_in_cpu": True,
    "sd_checkpoint_cache": 0,
    "sd_vae": "Automatic",
    "sd_vae_overrides_per_model_preferences": True,
    "sd_unet": "Automatic",
    "emphasis": "Original",
    "enable_batch_seeds": True,
    "comma_padding_backtrack": 20.0,
    "CLIP_stop_at_last_layers": 1.0,
    "upcast_attn": False,
    "randn_source": "GPU",
    "tiling": False,
    "initial_noise_multiplier": 1.0,
    "img2img_color_correction": False,
    "img2img_background_color": "#ffffff",
    "return_grid": True,
    "return_mask": False,
    "return_mask_composite": False,
    "s_min_uncond": 0.0,
    "token_merging_ratio": 0.0,
    "token_merging_ratio_img2img": 0.0,
    "token_merging_ratio_hr": 0.0,
    "eta_ddim": 0.0,
    "eta_ancestral": 1.0,
    "eta_noise_seed_delta": 0.0,
    "s_churn": 0.0,
    "s_tmin": 0.0,
    "s_tmax": 0.0,
    "s_noise": 1.0,
    "interrogate_clip_num_beams": 1.0,
    "sd_hypernetwork": "None",
    "sd_lora": "None",
    "extra_networks_default_multiplier": 1.0,
    "enable_prompt_comments": True,
    "disable_weights_auto_swap": True,
    "add_version_to_infotext": True,
    "add_model_name_to_info": True,
    "add_model_hash_to_info": True,
    "live_previews_enable": True,
    "live_previews_image_format": "png",
    "show_progress_every_n_steps": 10.0,
    "show_progress_type": "Approx NN",
    "live_preview_fast_interrupt": False,
    "interrupt_after_current": True,
    "hide_samplers": [],
    "disabled_extensions": [],
    "disable_all_extensions": "none",
    "restore_config_state_file": "",
}
CONTROLNET_DEFAULTS: dict[str, Any] = {
    "control_net_unit_count": 3,
    "control_net_no_detectmap": False,
    "control_net_detectmap_autosaving": False,
}
_NOT_OVER_API = frozenset({"api_enable_requests", "api_forbid_local_requests", "api_useragent"})


class Options:
    """Process-global values, plus which of them the configuration file holds.

    A key that the file lacks is not put back after an override when `leaky` is on: the override then stays for
    everybody, as seen on fresh installs of A1111, Forge and reForge.
    """

    def __init__(self, changed: Mapping[str, Any], *, leaky: bool, defaults: Mapping[str, Any] = DEFAULTS) -> None:
        self._values = {**defaults, **changed}
        self._saved = {"sd_model_checkpoint", "sd_checkpoint_hash", *changed}
        self._leaky = leaky

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def has(self, key: str) -> bool:
        """Whether this webui has the option."""
        return key in self._values

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or the default for an option that this webui has not."""
        return self._values.get(key, default)

    def set(self, key: str, value: Any, *, guarded: bool = True) -> None:
        """Set one option as the API does: values are not type-checked, three keys are silently ignored if `guarded`.

        Raises CrashError (KeyError) for a key that does not exist.
        """
        if key not in self._values:
            raise CrashError("KeyError", repr(key))
        if not guarded or key not in _NOT_OVER_API:
            self._values[key] = value

    def save(self) -> None:
        """Write every value to the configuration file, as POST /options does at its end."""
        self._saved = set(self._values)

    def remembered(self, keys: Mapping[str, Any]) -> dict[str, Any]:
        """The present values of those keys that a job will put back after its overrides."""
        return {key: self._values[key] for key in keys if key in self._values and self._kept(key)}

    def _kept(self, key: str) -> bool:
        return not self._leaky or key in self._saved

    def restore(self, values: Mapping[str, Any]) -> None:
        """Put back what `remembered` returned."""
        self._values.update(values)

    def as_json(self) -> dict[str, Any]:
        """The body of `GET /sdapi/v1/options`."""
        return dict(self._values)
