"""What makes a finished segmentation smoother: dense CRF, merging of small regions."""
