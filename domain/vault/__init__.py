"""What is sealed so that only whoever opens it for a stated purpose can read it, and nobody once its key is gone."""
