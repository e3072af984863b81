"""The peers' packages, in a virtual environment of their own."""

import json
import subprocess
import sys
import venv
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent / "requirements.txt"


def python(data):
    """The Python of an environment below `data` that has the packages; makes it if need be."""
    folder, wanted = data / "venv", REQUIREMENTS.read_text()
    python, note = folder / "bin" / "python", folder / "installed.txt"
    if not note.exists() or note.read_text() != wanted:
        print(f"installing the peers into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                   "--requirement", REQUIREMENTS]
        subprocess.run(install, check=True)
        note.write_text(wanted)
    return python


def versions(python, packages):
    """The versions of packages that a Python has; None for those that it has not."""
    program = """if True:
        import importlib.metadata as metadata, json, sys
        found = {each.metadata["Name"].lower(): each.version for each in metadata.distributions()}
        print(json.dumps({name: found.get(name) for name in sys.argv[1:]}))"""
    said = subprocess.run([python, "-c", program, *packages], check=True, capture_output=True)
    return json.loads(said.stdout)
