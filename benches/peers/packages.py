"""The peers' packages, in a virtual environment of their own."""

import json
import subprocess
import sys
import venv
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent / "requirements.txt"


# What `rows.py` reads the tables with.
JUDGES = ["duckdb", "deltalake"]


def python(data, packages):
    """The Python of an environment below `data` that has the packages; makes it if need be."""
    folder, wanted = data / "venv", requirements({*packages, *JUDGES})
    python, note = folder / "bin" / "python", folder / "installed.txt"
    noted = note.read_text().splitlines() if note.exists() else []
    # A line that is no longer required is of another version by now.
    installed = [line for line in requirements() if line in noted]
    lacking = [line for line in wanted if line not in installed]
    if lacking:
        print(f"installing {', '.join(lacking)} into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *lacking], check=True)
        note.write_text("\n".join([*installed, *lacking, ""]))
    return python


def requirements(packages=None):
    """The lines of the packages, or all of them."""
    lines = REQUIREMENTS.read_text().split()
    return [line for line in lines if packages is None or line.split("==")[0] in packages]


def versions(python, packages):
    """The versions of packages that a Python has; None for those that it has not."""
    program = """if True:
        import importlib.metadata as metadata, json, sys
        found = {each.metadata["Name"].lower(): each.version for each in metadata.distributions()}
        print(json.dumps({name: found.get(name) for name in sys.argv[1:]}))"""
    said = subprocess.run([python, "-c", program, *packages], check=True, capture_output=True)
    return json.loads(said.stdout)
