"""First guesses from unlabeled images: what stands out, and what of it is alike."""
