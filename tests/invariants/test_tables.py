"""Tables that name things elsewhere: jobs, events, commands. A name that leads nowhere is found here, not at night."""

import ast
import importlib
import re
import subprocess
import sys

import pytest

from cli import COMMANDS, indexes
from runtime.queues import JOBS, QUEUES
from tests.invariants.sources import ROOT, dotted, product
from workers.subscriptions import SUBSCRIPTIONS


@pytest.mark.parametrize("name", sorted(JOBS))
def test_every_job_in_the_table_is_a_function(name: str) -> None:
    job = JOBS[name]
    module, _, function = job.function.rpartition(".")
    found = getattr(importlib.import_module(module), function, None)
    assert callable(found), f"runtime/queues.py names {job.function}, which is not there"
    assert job.queue in QUEUES, f"job {name} is on a queue that no worker serves: {job.queue}"


def test_whoever_enqueues_names_a_job_of_the_table() -> None:
    wrong = [
        f"{source.path}:{call.lineno} {call.args[0].value!r}"
        for source in product()
        for call in source.calls()
        if dotted(call.func).split(".")[-1] in {"enqueue", "_enqueue"}
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and call.args[0].value not in JOBS
    ]
    assert not wrong, f"put these jobs into runtime/queues.JOBS: {wrong}"


def test_the_sweeper_knows_every_outbox() -> None:
    """A document that the sweeper's process never imported would keep its events for ever: asked of a fresh process."""
    ask = "import workers.sweeps; from domain import outbox; print(*outbox.names())"
    known = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)
    with_outbox = {
        str(each._get_collection_name()) for each in indexes.documents() if "pending_events" in each._fields
    }
    assert set(known.stdout.split()) == with_outbox, "register it at the end of documents.py and import that in workers/"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_there(name: str) -> None:
    module, _, attribute = COMMANDS[name][0].partition(":")
    assert hasattr(importlib.import_module(module), attribute), f"cli.COMMANDS names {COMMANDS[name][0]}"


def _emitted() -> dict[str, str]:
    """Pattern of each event type that the domain emits → where. Event types have a dot: `incident.raised`."""
    found = {}
    for source in product():
        if not source.path.startswith("domain/") or source.path == "domain/incidents/draft.py":
            continue
        for call in source.calls():
            if dotted(call.func).split(".")[-1] == "event" and call.args:
                for pattern in _patterns(call.args[0], source.tree):
                    found[pattern] = f"{source.path}:{call.lineno}"
    return found


def _patterns(node: ast.expr, tree: ast.Module) -> list[str]:
    """Regular expressions of the values that an argument can have: a constant, an f-string, or a loop's constants."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [re.escape(node.value)]
    if isinstance(node, ast.JoinedStr):
        return [
            "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+" for part in node.values)
        ]
    if isinstance(node, ast.IfExp):
        return [*_patterns(node.body, tree), *_patterns(node.orelse, tree)]
    if isinstance(node, ast.Name):  # a name that a loop or a comprehension in this file gives
        loops = [each for each in ast.walk(tree) if isinstance(each, ast.comprehension | ast.For)]
        return [
            re.escape(item.value)
            for loop in loops
            if isinstance(loop.target, ast.Name) and loop.target.id == node.id
            for item in ast.walk(loop.iter)
            if isinstance(item, ast.Constant) and isinstance(item.value, str)
        ]
    return []


def test_whatever_somebody_waits_for_is_emitted() -> None:
    emitted = _emitted()
    never = [kind for kind in SUBSCRIPTIONS if not any(re.fullmatch(pattern, kind) for pattern in emitted)]
    assert not never, f"workers/subscriptions.py waits for events that nothing in domain/ emits: {never}"


def test_whatever_is_emitted_has_somebody_who_reacts() -> None:
    emitted = _emitted()
    assert len(emitted) > 10
    unheard = {
        pattern: where for pattern, where in emitted.items() if not any(re.fullmatch(pattern, k) for k in SUBSCRIPTIONS)
    }
    assert not unheard, (
        f"these events have no line in workers/subscriptions.py: give them one, or do not emit: {unheard}"
    )
