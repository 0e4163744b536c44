"""Colours and palettes: which light a seed gives to its picture. Knows no shapes."""

import colorsys
import random
import re
from dataclasses import dataclass

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Palette:
    """The light of a picture: the sky from top to horizon, the lamp (sun or moon), and the ground's two ends."""

    top: Colour
    middle: Colour
    horizon: Colour
    lamp: Colour
    far: Colour
    near: Colour
    accent: Colour
    dark: bool


def hex_colour(text: str) -> Colour:
    """RRGGBB as a colour."""
    red, green, blue = bytes.fromhex(text)
    return red, green, blue


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """The colour that far on the way from the first to the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def turn(colour: Colour, hue: float, saturation: float = 1.0, value: float = 1.0) -> Colour:
    """The colour turned by a share of the colour circle, with scaled saturation and value."""
    h, s, v = colorsys.rgb_to_hsv(*(channel / 255 for channel in colour))
    turned = colorsys.hsv_to_rgb((h + hue) % 1, min(s * saturation, 1), min(v * value, 1))
    red, green, blue = (round(channel * 255) for channel in turned)
    return red, green, blue


def _palette(text: str, *, dark: bool = False) -> Palette:
    top, middle, horizon, lamp, far, near, accent = (hex_colour(part) for part in text.split())
    return Palette(top, middle, horizon, lamp, far, near, accent, dark)


PALETTES: dict[str, Palette] = {
    "dawn": _palette("33457c e8938c ffdcA8 fff3cf 9a86ad 2d3b50 ffb38a"),
    "noon": _palette("2c78cc 7cc2ef e9f7fb fff9dc 8cb6c8 2c6848 ffd166"),
    "dusk": _palette("1b1e4b 8d3f7f ff9c5c ffd98a 714e84 1c1932 ffb86b", dark=True),
    "night": _palette("040a22 11245c 3a5896 f5f2de 2a3d70 070d1f 9ec5ff", dark=True),
    "aurora": _palette("03102a 0d4857 5fd8a4 eafff4 1f5b62 04161f 8affd2", dark=True),
    "autumn": _palette("4f78a3 cbc3b0 f9e0b2 fff2cf bd8d60 69381f f2a541"),
    "candy": _palette("6a5ad0 f19ad3 ffe5ee fff6fa b88de2 55378a ff8fc7"),
    "storm": _palette("26313d 5c6f7e bcc6c8 f2f4ef 76868f 1f2d37 e8d9a0"),
    "desert": _palette("2d6da7 f2b982 fce5b8 fff4d0 dc935f 86402c ffcf70"),
    "jade": _palette("0e4a5a 5eb39b f5f2bd fffbe0 4f9a8a 143f3a ffe08a"),
    "winter": _palette("5b87b8 b5cfe4 f4f8fb ffffff b6c9da 7f9ab2 c6e2ff"),
}

# Words that decide the light, so that a picture of a night is one whatever its seed.
_LIGHTS = (
    (r"aurora|northern lights", "aurora"),
    (r"night|midnight|moon\w*|stars?|starry|galaxy|space|dark", "night"),
    (r"sunset|dusk|evening|twilight", "dusk"),
    (r"sunrise|dawn|morning", "dawn"),
    (r"snow\w*|winter|ice|icy|frozen", "winter"),
    (r"autumn|fall|october", "autumn"),
    (r"storm\w*|rain\w*|thunder\w*|fog\w*|mist\w*", "storm"),
    (r"desert|dunes?|canyon", "desert"),
    (r"pastel|candy|pink|dream\w*", "candy"),
)


def choose_palette(prompt: str, rng: random.Random) -> Palette:
    """The light the prompt names, else one of the seed's; turned a little, so that no two seeds look the same."""
    own = rng.choice(sorted(PALETTES))
    hue, saturation = rng.uniform(-0.035, 0.035), rng.uniform(0.85, 1.15)
    name = next((light for words, light in _LIGHTS if re.search(rf"\b(?:{words})\b", prompt, re.IGNORECASE)), own)
    base = PALETTES[name]

    def own_shade(colour: Colour) -> Colour:
        return turn(colour, hue, saturation)

    return Palette(
        own_shade(base.top),
        own_shade(base.middle),
        own_shade(base.horizon),
        base.lamp,
        own_shade(base.far),
        own_shade(base.near),
        base.accent,
        base.dark,
    )
