"""The kinds of scene that can be drawn, by the name that the command takes."""

from data_gen.scenes.fruit import Fruit

SCENES = {"fruit": Fruit}
