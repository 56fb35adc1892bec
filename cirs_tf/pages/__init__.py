"""Pages for people: what `cirs_tf.report` writes."""
