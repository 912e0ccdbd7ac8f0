"""Event streams for open screens. A process of its own: each stream holds a thread, or, under gevent, next to nothing."""
