"""The fields of each A1111 1.10.1 request, in the order in which the server echoes them. Data only."""

from playground.webui.fields import Field

_COMMON = (
    Field("prompt", "str", ""),
    Field("negative_prompt", "str", ""),
    Field("styles", "list"),
    Field("seed", "int", -1),
    Field("subseed", "int", -1),
    Field("subseed_strength", "float", 0),
    Field("seed_resize_from_h", "int", -1),
    Field("seed_resize_from_w", "int", -1),
    Field("sampler_name", "str"),
    Field("scheduler", "str"),
    Field("batch_size", "int", 1),
    Field("n_iter", "int", 1),
    Field("steps", "int", 50),
    Field("cfg_scale", "float", 7.0),
    Field("width", "int", 512),
    Field("height", "int", 512),
    Field("restore_faces", "bool"),
    Field("tiling", "bool"),
    Field("do_not_save_samples", "bool", False),
    Field("do_not_save_grid", "bool", False),
    Field("eta", "float"),
)
_NOISE = (
    Field("s_min_uncond", "float"),
    Field("s_churn", "float"),
    Field("s_tmax", "float"),
    Field("s_tmin", "float"),
    Field("s_noise", "float"),
    Field("override_settings", "dict"),
    Field("override_settings_restore_afterwards", "bool", True),
    Field("refiner_checkpoint", "str"),
    Field("refiner_switch_at", "float"),
    Field("disable_extra_networks", "bool", False),
    Field("firstpass_image", "any"),
    Field("comments", "dict"),
)
_SCRIPTS = (
    Field("script_name", "str"),
    Field("script_args", "list", [], nullable=False),
    Field("send_images", "bool", True, nullable=False),
    Field("save_images", "bool", False, nullable=False),
    Field("alwayson_scripts", "dict", {}, nullable=False),
    Field("infotext", "str"),
)

TXT2IMG = (
    *_COMMON,
    Field("denoising_strength", "float", 0.75),
    *_NOISE,
    Field("enable_hr", "bool", False),
    Field("firstphase_width", "int", 0),
    Field("firstphase_height", "int", 0),
    Field("hr_scale", "float", 2.0),
    Field("hr_upscaler", "str"),
    Field("hr_second_pass_steps", "int", 0),
    Field("hr_resize_x", "int", 0),
    Field("hr_resize_y", "int", 0),
    Field("hr_checkpoint_name", "str"),
    Field("hr_sampler_name", "str"),
    Field("hr_scheduler", "str"),
    Field("hr_prompt", "str", ""),
    Field("hr_negative_prompt", "str", ""),
    Field("force_task_id", "str"),
    Field("sampler_index", "str", "Euler", nullable=False),
    *_SCRIPTS,
)

IMG2IMG = (
    *_COMMON,
    Field("denoising_strength", "float", 0.75, nullable=False),
    *_NOISE,
    Field("init_images", "list"),
    Field("resize_mode", "int", 0),
    Field("image_cfg_scale", "float"),
    Field("mask", "str"),
    Field("mask_blur_x", "int", 4),
    Field("mask_blur_y", "int", 4),
    Field("mask_blur", "int"),
    Field("mask_round", "bool", True),
    Field("inpainting_fill", "int", 0),
    Field("inpaint_full_res", "bool", True),
    Field("inpaint_full_res_padding", "int", 0),
    Field("inpainting_mask_invert", "int", 0),
    Field("initial_noise_multiplier", "float"),
    Field("latent_mask", "any"),
    Field("force_task_id", "str"),
    Field("sampler_index", "str", "Euler", nullable=False),
    Field("include_init_images", "bool", False),
    *_SCRIPTS,
)

EXTRA_SINGLE_IMAGE = (
    Field("resize_mode", "int", 0, nullable=False, choices=(0, 1)),
    Field("show_extras_results", "bool", True, nullable=False),
    Field("gfpgan_visibility", "float", 0, nullable=False, low=0, high=1),
    Field("codeformer_visibility", "float", 0, nullable=False, low=0, high=1),
    Field("codeformer_weight", "float", 0, nullable=False, low=0, high=1),
    Field("upscaling_resize", "float", 2.0, nullable=False, above=0),
    Field("upscaling_resize_w", "int", 512, nullable=False, low=1),
    Field("upscaling_resize_h", "int", 512, nullable=False, low=1),
    Field("upscaling_crop", "bool", True, nullable=False),
    Field("upscaler_1", "str", "None", nullable=False),
    Field("upscaler_2", "str", "None", nullable=False),
    Field("extras_upscaler_2_visibility", "float", 0, nullable=False, low=0, high=1),
    Field("upscale_first", "bool", False, nullable=False),
    Field("image", "str", "", nullable=False),
)

PNG_INFO = (Field("image", "str", "", nullable=False),)

INTERROGATE = (
    Field("image", "str", "", nullable=False),
    Field("model", "str", "clip", nullable=False),
)

INTERNAL_PROGRESS = (
    Field("id_task", "str"),
    Field("id_live_preview", "int", -1),
    Field("live_preview", "bool", True, nullable=False),
)

PROGRESS_QUERY = (Field("skip_current_image", "bool", False, nullable=False),)


def with_fields(fields: tuple[Field, ...], after: str, *new: Field) -> tuple[Field, ...]:
    """The model with the new fields behind the field of that name."""
    place = next(index for index, field in enumerate(fields) if field.name == after) + 1
    return (*fields[:place], *new, *fields[place:])


def with_field(fields: tuple[Field, ...], changed: Field) -> tuple[Field, ...]:
    """The model with the field of the same name replaced."""
    return tuple(changed if field.name == changed.name else field for field in fields)


REFORGE_TXT2IMG = with_fields(
    with_field(TXT2IMG, Field("denoising_strength", "float")), "hr_negative_prompt", Field("hr_cfg", "float", 1.0)
)

FORGE_TXT2IMG = with_fields(
    with_fields(
        with_fields(REFORGE_TXT2IMG, "cfg_scale", Field("distilled_cfg_scale", "float", 3.5)),
        "hr_checkpoint_name",
        Field("hr_additional_modules", "list"),
    ),
    "hr_cfg",
    Field("hr_distilled_cfg", "float", 3.5),
)

FORGE_IMG2IMG = with_fields(
    with_fields(IMG2IMG, "cfg_scale", Field("distilled_cfg_scale", "float", 3.5)),
    "force_task_id",
    Field("hr_distilled_cfg", "float", 3.5),
)
