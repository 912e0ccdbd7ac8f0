"""Whatever may be sent to the API is answered as the contract says: schemathesis, all checks, stateful too.

Few examples of each operation here; `python -m tests.contract.fuzz --examples 100` looks longer.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract import fuzz

# Reads beside writes, phones beside the control room. All operations together take minutes, so each run takes some.
PARTS = {
    "phones": "^/v1/(auth|me|app-config|sync|deliveries)",
    "sos": "^/v1/sos",
    "control room": "^/v1/(incidents|insights|observations|cameras)",
    "responders and admin": "^/v1/(responder|assignments|units|staff|cities|agencies|sessions|audit)",
}
SECONDS = 12


@pytest.fixture(scope="module")
def api(mongodb_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[fuzz.Served]:
    with fuzz.served(mongodb_url, redis_url, tmp_path_factory.mktemp("api")) as found:
        yield found


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.timeout(180)
def test_every_answer_is_as_the_contract_says(api: fuzz.Served, part: str, tmp_path: Path) -> None:
    done = fuzz.run(
        api, tmp_path, examples=1, arguments=["--include-path-regex", PARTS[part], "--max-time", str(SECONDS)]
    )
    assert done.returncode == 0, f"{done.stdout[-12000:]}\n{done.stderr[-2000:]}\n{api.log.read_text()[-3000:]}"
