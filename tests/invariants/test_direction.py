"""Who may know whom, where import-linter (pyproject.toml) cannot see it: single files, the environment, single imports."""

import ast
import re

from tests.invariants.sources import dotted, product

MAY_READ_THE_ENVIRONMENT = {
    "runtime/settings.py": "it is the one place of settings",
    "workers/vision/cv.py": "sets what OpenCV reads at import",
    "workers/vision/source.py": "sets what OpenCV's FFmpeg reads when a source is opened",
    "workers/vision/graphs.py": "sets what mediapipe reads at import",
}
MAY_USE_MONGOENGINE = re.compile(
    r"domain/[a-z_]+/documents\.py|runtime/mongo\.py|cli/(indexes|checks)\.py"
    r"|domain/cities/queries\.py"  # its error alone: a process without a connection reads the presets
)


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        source.path
        for source in product()
        if "os." in source.text
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and dotted(node) in {"os.environ", "os.getenv", "os.putenv"}
    } | {source.path for source in product() for _, name in source.imports() if name in {"os.environ", "os.getenv"}}
    wrong = sorted(readers - MAY_READ_THE_ENVIRONMENT.keys())
    assert not wrong, (
        f"make it a setting in runtime/settings.py and pass that in (or say why in the list here): {wrong}"
    )
    gone = sorted(MAY_READ_THE_ENVIRONMENT.keys() - readers)
    assert not gone, f"these no longer read the environment, take them from the list: {gone}"


def test_mongoengine_stays_in_the_documents() -> None:
    wrong = [
        f"{source.path}:{line}"
        for source in product()
        if not MAY_USE_MONGOENGINE.fullmatch(source.path)
        for line, name in source.imports()
        if name.split(".")[0] == "mongoengine"
    ]
    assert not wrong, f"only documents.py knows mongoengine; read and write through the document's collection: {wrong}"


def test_the_application_is_wiring_and_nothing_imports_it() -> None:
    app = product()[0]
    assert app.path == "app.py"
    wrong = [name for _, name in app.imports() if name.split(".")[0] in {"workers", "sandbox", "cli", "tests", "bench"}]
    assert not wrong, f"the web process does not load workers, the sandbox or the command line: {wrong}"
    users = [
        f"{source.path}:{line}"
        for source in product()
        for line, name in source.imports()
        if name.split(".")[0] == "app" and not source.path.startswith(("cli/", "bench/"))
    ]
    assert not users, f"app.py is started by a web server, not imported: {users}"


def test_api_and_workers_meet_only_through_the_job_table() -> None:
    wrong = [
        f"{source.path}:{line} {name}"
        for source in product()
        for line, name in source.imports()
        if (source.path.startswith("api/") and name.split(".")[0] == "workers")
        or (source.path.startswith("workers/") and name.split(".")[0] == "api")
    ]
    assert not wrong, f"enqueue by the name in runtime/queues.JOBS, or move what both need below them: {wrong}"
