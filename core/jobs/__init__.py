"""A job from its row to its delivery: rows, scheduler, engine and the pipeline's steps."""
