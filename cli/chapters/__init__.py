"""The demo's chapters: each plays one story from outside, as phones and people would, and says what it observed."""
