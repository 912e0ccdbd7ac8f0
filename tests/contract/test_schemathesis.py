"""Whatever may be sent to the API is answered as the contract says: schemathesis, all checks, stateful too.

A minute here, from a fixed seed; `python -m tests.contract.fuzz --examples 100` looks for as long as it takes.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract import fuzz

# (phases, operations, examples of each, most seconds). Every operation meets its examples and what is made up; the
# boundaries of each field are many, so here those of the routes on which lives depend.
RUNS = {
    "what is made up": ("examples,fuzzing", "", 1, 12),
    "one after the other": ("stateful", "", 2, 10),
    "at the edges": ("coverage", "^/v1/(sos$|sos/{sos_id}|auth|assignments|responder)", 1, 12),
}


@pytest.fixture(scope="module")
def api(mongodb_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[fuzz.Served]:
    with fuzz.served(mongodb_url, redis_url, tmp_path_factory.mktemp("api")) as found:
        yield found


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.timeout(180)
def test_every_answer_is_as_the_contract_says(api: fuzz.Served, run: str, tmp_path: Path) -> None:
    phases, paths, examples, seconds = RUNS[run]
    arguments = ["--phases", phases, "--max-time", str(seconds)]
    arguments += ["--include-path-regex", paths] if paths else []
    done = fuzz.run(api, tmp_path, examples=examples, arguments=arguments)
    assert done.returncode == 0, f"{done.stdout[-12000:]}\n{done.stderr[-2000:]}\n{api.log.read_text()[-3000:]}"
    assert " generated" in done.stdout  # it has looked
