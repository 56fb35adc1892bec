"""Which method fits a set of unlabeled images, and how many segments recur in it."""
