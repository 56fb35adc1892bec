"""The one-dimensional proof of the thesis (4, 12.1), on strings of digits."""
