"""`amaan vision`: how right camera analytics is on a city's own footage, and whether its own models can be used."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

RECORDED = datetime(2000, 1, 1, tzinfo=UTC)  # any moment: a part of a file is chosen by its distance from it


@click.group()
def vision() -> None:
    """Camera analytics: measure it on your own footage, try your own models, list the detectors."""


@vision.command("evaluate")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--model", "models", multiple=True, type=click.Path(path_type=Path), help="A model.toml to look with as well."
)
@click.option("--json", "as_json", is_flag=True, help="The figures for machines.")
def evaluate(folder: Path, models: Sequence[Path], as_json: bool) -> None:
    """Look at the clips of FOLDER and compare with its truth.json (docs/cameras.md has the format).

    What was tuned with and what was kept aside are told apart. Nothing is stored and nothing leaves this machine.
    """
    _installed()
    from workers.vision import evaluate as judge
    from workers.vision.child import Looker

    try:
        clips = judge.read_truth(folder)
    except judge.BadTruth as error:
        raise click.ClickException(str(error)) from None
    scores = {name: judge.Score() for name in judge.SETS}
    config = {
        "allowed_roots": [str(folder.resolve())],
        "models": [str(path.absolute()) for path in models],
        "stills_max": 0,
        "budget_s": 240.0,
        "wall_s": 300.0,
    }
    with Looker() as looker:
        for number, clip in enumerate(clips, 1):
            click.echo(f"\r{number} of {len(clips)}", nl=False, err=True)
            start = RECORDED + timedelta(seconds=clip.start)
            source = {"kind": "file", "path": str((folder / clip.file).resolve()), "recorded_at": RECORDED.isoformat()}
            answer = looker.look(source, {"seconds": clip.seconds, "start": start.isoformat()}, config)
            judge.add(scores[clip.set], clip, answer)
    click.echo("\r", nl=False, err=True)
    used = {name: score for name, score in scores.items() if score.clips}
    if as_json:
        click.echo(json.dumps({name: score.__dict__ for name, score in used.items()}))
        return
    for name, score in used.items():
        click.echo("kept aside" if name == "aside" else "tuned with")
        for what, said in judge.lines(score):
            click.echo(f"  {what:<34} {said}")
    if "aside" not in used:
        click.echo('no clip has "set": "aside": these figures are of footage that may have been tuned with')


@vision.command("models")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
def try_models(paths: Sequence[Path]) -> None:
    """Load each model.toml as a look would, try it on a drawn picture, and say what it is or what is wrong (then ends 1)."""
    _installed()
    from workers.vision.own_models import ModelError, OwnModel

    failed = False
    for path in paths:
        model = OwnModel()
        try:
            model.load({"model": str(path.absolute())})
        except ModelError as error:
            failed = True
            click.echo(f"{path.name}: {error}")
            continue
        assert model.spec is not None
        asks = f"; asks about {', '.join(model.ask)}" if model.ask else ""
        click.echo(
            f"{path.name}: {model.name} {model.version}, finds {', '.join(model.labels)}{asks}; {model.spec.licence}"
        )
        model.close()
    sys.exit(1 if failed else 0)


@vision.command("detectors")
def detectors() -> None:
    """The detectors that are installed, ours and others', with what they find."""
    _installed()
    from workers.vision.detector import found_here

    for name, kind in sorted(found_here().items()):
        made: Any = kind()
        click.echo(f"{name:<12} {made.version or '-':<8} {', '.join(made.labels) or 'what its model.toml says'}")


def _installed() -> None:
    try:
        import workers.vision.cv  # noqa: F401  (the camera libraries are for those who look)
    except ImportError as error:
        raise click.ClickException(f"camera analytics is not installed here ({error.name})") from None
