"""How gunicorn serves the API: `gunicorn -c deploy/gunicorn.py "app:serve()"`.

The code is read once, before the workers are forked, so that a worker that died is back in milliseconds and all share
its memory. Nothing connects there: each worker builds its own application after its fork.
"""

import gc
import importlib
from typing import Any


def on_starting(server: Any) -> None:
    """Read the code in the parent; what is read is never freed, so the collector need not look at it again."""
    importlib.import_module("app")
    gc.collect()
    gc.freeze()
