"""The growth as a picture: how dispatch and correlation take longer with more data, from `results.json`."""

import json
import re

from bench.figures import HERE, RESULTS

PICTURE = HERE / "growth.svg"
_SIZE = re.compile(r"^(\w+), ([\d,]+) (\w+)(?:, (.*))?$")


def series() -> dict[str, list[tuple[int, float]]]:
    """Name → [(size, milliseconds)], from the figures that are named "what, 1,000 things"."""
    found: dict[str, list[tuple[int, float]]] = {}
    for row in json.loads(RESULTS.read_text()):
        match = _SIZE.match(row["name"])
        if match and row["unit"] == "ms":
            what, size, things, detail = match.groups()
            name = f"{what} by {things}" + (f" ({detail})" if detail else "")
            found.setdefault(name, []).append((int(size.replace(",", "")), row["value"]))
    return {name: sorted(points) for name, points in found.items()}


def draw() -> None:
    """Write `growth.svg`: both axes logarithmic, a flat line is what is wanted."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "amaan"
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name, points in series().items():
        axes.plot([size for size, _ in points], [value for _, value in points], marker="o", label=name)
    axes.set(xscale="log", yscale="log", xlabel="records", ylabel="median, ms", title="Growth at constant density")
    axes.grid(visible=True, which="both", alpha=0.25)
    axes.legend()
    figure.tight_layout()
    figure.savefig(PICTURE, metadata={"Date": None})
    pyplot.close(figure)


if __name__ == "__main__":
    draw()
