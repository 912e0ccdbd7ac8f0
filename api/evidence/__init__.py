"""Uploads of photos, sound and video to an SOS: tus 1.0, which goes on where a bad network broke it off."""
