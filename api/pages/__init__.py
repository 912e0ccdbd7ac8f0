"""Pages behind signed links: plain HTML that works on an old phone, in Urdu and English, without JavaScript."""
