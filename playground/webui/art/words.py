"""Which words of a prompt show in the picture, and as what. Knows the motifs by name only."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from playground.webui.art import animals, buildings, nature
from playground.webui.art.pen import Pen

Motif = Callable[[Pen, random.Random], None]


@dataclass(frozen=True, slots=True)
class Figure:
    """A motif that stands in the foreground: how high it is (share of the picture) and how far above the ground."""

    draw: Motif
    height: float
    lift: float = 0.0


_FIGURES: tuple[tuple[str, Figure], ...] = (
    (r"lighthouses?|beacon", Figure(buildings.lighthouse, 0.62)),
    (r"castles?|palace|fortress|citadel", Figure(buildings.castle, 0.56)),
    (r"house|cottage|cabin|hut|home|village|inn", Figure(buildings.house, 0.42)),
    (r"ships?|boats?|sail\w*", Figure(buildings.boat, 0.40)),
    (r"rockets?|spaceships?|spacecraft", Figure(buildings.rocket, 0.56, 0.12)),
    (r"balloons?|airship", Figure(buildings.balloon, 0.46, 0.22)),
    (r"trees?|oak|bonsai|sakura|garden", Figure(nature.tree, 0.52)),
    (r"robots?|androids?|mecha?|cyborg", Figure(buildings.robot, 0.44)),
    (
        r"wom[ae]n|m[ae]n|girls?|boys?|persons?|people|portrait|knights?|wizards?|witch|wanderer|traveller|monk",
        Figure(nature.person, 0.46),
    ),
    (r"puppy|puppies|dogs?|hound|corgi|wolf|wolves|retriever", Figure(animals.dog, 0.40)),
    (r"cats?|kittens?|kitty|tiger|panther", Figure(animals.cat, 0.40)),
    (r"fox(?:es)?", Figure(animals.fox, 0.40)),
    (r"mushrooms?|toadstool", Figure(nature.mushroom, 0.28)),
    (r"flowers?|roses?|tulips?|daisy|daisies|bouquet|blossoms?", Figure(nature.flowers, 0.30)),
)
_SETTINGS: dict[str, str] = {
    "mountains": r"mountains?|peaks?|alps|alpine|volcano|himalaya\w*",
    "forest": r"forests?|woods?|woodland|jungle|pines?",
    "sea": r"sea|ocean|beach|coast|lake|harbou?r|river|waves?|island|ships?|boats?|lighthouses?",
    "city": r"city|cities|skyline|skyscrapers?|town|tokyo|new york|cyberpunk|street|buildings?",
    "moon": r"moon\w*|night|midnight",
    "snow": r"snow\w*|winter",
    "birds": r"birds?|seagulls?|crows?|ravens?|flock",
}
_AT_MOST = 3
_BY_SEED = (
    Figure(nature.tree, 0.52),
    Figure(buildings.house, 0.42),
    Figure(buildings.balloon, 0.46, 0.22),
    Figure(nature.flowers, 0.30),
)


def find_figures(prompt: str, rng: random.Random) -> list[Figure]:
    """The figures that the prompt names, tall ones first; one of the seed's own if it names nothing known."""
    own = rng.choice(_BY_SEED)
    found = [figure for words, figure in _FIGURES if _names(prompt, words)]
    return found[:_AT_MOST] or ([] if find_settings(prompt) - {"moon", "snow"} else [own])


def find_settings(prompt: str) -> set[str]:
    """The names of the settings that the prompt asks for."""
    return {name for name, words in _SETTINGS.items() if _names(prompt, words)}


def _names(prompt: str, words: str) -> bool:
    return re.search(rf"\b(?:{words})\b", prompt, re.IGNORECASE) is not None
