"""The machine under Amaan: settings, document store, queues, positions, media, logs."""
