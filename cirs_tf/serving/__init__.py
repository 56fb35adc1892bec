"""Models for others: SavedModels and other formats, written and read; a client."""
