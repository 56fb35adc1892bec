"""The kinds of scene that can be drawn, by the name that the command takes."""

from data_gen.scenes.before_sky import Fruit, TwoTone

SCENES = {"fruit": Fruit, "twotone": TwoTone}
