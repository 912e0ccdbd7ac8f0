"""Local carriers: one HTTP server that speaks Twilio's Messages and Calls API and FCM v1, and holds every phone.

The product's code talks to it with the vendors' real client libraries; only settings differ from the real carriers.

- vendors' side: `twilio_messages.py`, `twilio_calls.py` (calls played by `line.py`), `fcm.py`;
- people's side: `phone_routes.py` (JSON for tests and the demo), `pages.py` (HTML for a person);
- between them: `state.py` (memory), `journal.py` (over a restart), `switches.py` (failures), `later.py` (receipts).
"""

from __future__ import annotations

import sys
from pathlib import Path


def command(port: int, dir: Path, *, threads: int = 256, numbers: tuple[str, ...] = (), **options: object) -> list[str]:
    """The command line that starts them; `options` are the fields of `options.Options` (account_sid, sms_url, …).

    It prints `listening on 127.0.0.1:PORT` on standard output when it takes connections, and writes
    `service-account.json` (for `firebase_admin.credentials.Certificate`) into `dir`. Run it with the repository as
    working directory.
    """
    made = [sys.executable, "-m", "sandbox.carriers", "--port", str(port), "--dir", str(dir), "--threads", str(threads)]
    for number in numbers:
        made += ["--number", number]
    for name, value in options.items():
        # One word: a secret that begins with a dash is not taken for another option.
        made.append(f"--{name.replace('_', '-')}={value}")
    return made
