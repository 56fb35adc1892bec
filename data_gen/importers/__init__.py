"""Data sets made of pictures that are there: image folders, BSDS500."""
