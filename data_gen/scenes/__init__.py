"""The kinds of scene that can be drawn, by their names in the command."""

from data_gen.scenes.dsprites import DSprites
from data_gen.scenes.sky_scenes import Fruit, TwoTone
from data_gen.scenes.tetrominoes import Tetrominoes

SCENES = {
    "fruit": Fruit,
    "twotone": TwoTone,
    "dsprites": DSprites,
    "tetrominoes": Tetrominoes,
}
