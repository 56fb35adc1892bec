"""SavedModels: written for TensorFlow Serving, and read."""
