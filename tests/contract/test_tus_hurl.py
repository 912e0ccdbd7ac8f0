"""The upload passes tus's own conformance tests, run with hurl where both are there (`HURL` may name the executable)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.fakes.small_city import SmallCity

SUITE = Path(__file__).parents[3] / "shared" / "specs" / "tus" / "tests"
HURL = os.environ.get("HURL") or shutil.which("hurl") or ""
GROUPS = (
    "core",
    "extensions/creation",
    "extensions/creation-with-upload",
    "extensions/checksum",
    "extensions/termination",
    "extensions/expiration",
)

pytestmark = pytest.mark.skipif(not (HURL and SUITE.is_dir()), reason="needs hurl on the PATH and ../shared/specs/tus")


@pytest.mark.parametrize("group", GROUPS)
def test_the_upload_conforms(small_city: SmallCity, tmp_path: Path, group: str) -> None:
    files = sorted(str(each) for each in (SUITE / group).rglob("*.hurl"))
    assert files
    sos = small_city.sos()
    variables = tmp_path / "variables.env"
    variables.write_text(f"tus_version=1.0.0\nbase_url={small_city.url}/v1/sos/{sos['id']}/media\n")
    ran = subprocess.run(
        [
            HURL,
            "--test",
            "--no-color",
            "--variables-file",
            str(variables),
            "-H",
            f"Sos-Token: {sos['sos_token']}",
            *files,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert ran.returncode == 0, ran.stderr[-6000:]
