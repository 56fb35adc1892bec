"""Data sets made from existing images: image folders, BSDS500, CIFAR-10."""
