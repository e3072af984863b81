"""The pinclean that is measured."""

import json
import os
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def program(named=None):
    """The one that was named, else $PINCLEAN, else a release build of this repository."""
    named = named or os.environ.get("PINCLEAN")
    if named:
        return Path(named).resolve(strict=True)
    build = ["cargo", "build", "--locked", "--release", "--bin", "pinclean",
             "--message-format=json-render-diagnostics"]
    said = subprocess.run(build, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
    messages = map(json.loads, said.stdout.splitlines())
    return Path(next(message["executable"] for message in messages if message.get("executable")))


def version(binary):
    """Its version."""
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    return said.stdout.strip().removeprefix("pinclean ")


def commit():
    """That of this repository, which need not be the program's if one was named."""
    try:
        said = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=REPOSITORY,
                              capture_output=True, text=True)
    except FileNotFoundError:
        return "unknown, for there is no git"
    return said.stdout.strip() or "none"


def environment():
    """This process's, without settings of pinclean that change what is measured."""
    kept = {name: value for name, value in os.environ.items()
            if name == "PINCLEAN" or not name.startswith("PINCLEAN_")}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1"}
