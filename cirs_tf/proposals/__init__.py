"""First guesses from unlabelled images: what stands out, and what of it is alike."""
