"""Emulated buckets, kept between benchmarks."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from measuring.figures import megabytes
from measuring.program import environment, version

READ_ALL = Path(__file__).resolve().parent / "read_all.py"
TOPICS = 3
# Bytes of a record of each of the three topics together.
ROW_BYTES = 925
# An object of one record takes a block and an inode.
BLOCK = 4096 + 256


@dataclass(frozen=True)
class Slice:
    """What is emulated: `rows` records of each topic, from row `start` on."""

    rows: int
    flush: int
    seed: int
    partitions: int = 1
    start: int = 0

    @property
    def options(self):
        return ["--rows", self.rows, "--flush-size", self.flush, "--seed", self.seed,
                "--partitions", self.partitions, "--start-offset", self.start]

    @property
    def disk(self):
        """About how many bytes of the disk it needs."""
        objects = TOPICS * self.rows / self.flush
        return int(self.rows * ROW_BYTES + objects * BLOCK)

    @property
    def name(self):
        """That of its folder."""
        return "-".join(option.lstrip("-") for option in map(str, self.options))


@dataclass(frozen=True)
class Bucket:
    """A folder of objects."""

    path: Path
    objects: int
    bytes: int

    @property
    def size(self):
        return f"{self.objects:,} objects, {megabytes(self.bytes)}"


def emulate(binary, slice_, path):
    """Writes a slice into a folder, which may hold others already. Its path is absolute."""
    path.mkdir(parents=True, exist_ok=True)
    command = [binary, "emulate", path, "--quiet", *slice_.options]
    # Not where the user is, who may have a pinclean.toml there.
    subprocess.run(list(map(str, command)), cwd=path, env=environment(), check=True)


def bucket(binary, slice_, data):
    """The bucket of a slice below the folder `data`: the one of last time, if it is there."""
    found = kept(binary, slice_, data)
    if not found:
        with tempfile.TemporaryDirectory(prefix="making-", dir=data) as folder:
            make(binary, slice_, data, Path(folder))
        found = kept(binary, slice_, data)
    return found


def kept(binary, slice_, data):
    """The bucket, if it is there and this version of pinclean emulated it, or an unknown one."""
    try:
        note = json.loads(note_of(data / slice_.name).read_text())
    except FileNotFoundError:
        return None
    current = version(binary)
    same = note.get("version", current) == current
    return Bucket(data / slice_.name, note["objects"], note["bytes"]) if same else None


def make(binary, slice_, data, folder):
    """Emulates a bucket in a new folder, and puts it in its place when it is whole."""
    made, note = folder / "bucket", folder / "note"
    emulate(binary, slice_, made)
    objects, size = count(made)
    note.write_text(json.dumps({"objects": objects, "bytes": size, "version": version(binary)}))
    # Another run may have made the same meanwhile, and may be reading it.
    if kept(binary, slice_, data):
        return
    place = data / slice_.name
    if place.exists():
        place.rename(folder / "old")
    made.rename(place)
    note.replace(note_of(place))


def note_of(place):
    """The file beside a bucket that says that it is whole, and how much it is."""
    return place.with_name(place.name + ".json")


def warm(bucket_):
    """Reads all of it, so that the first run does not wait for the disk and the others not."""
    subprocess.run([sys.executable, READ_ALL, bucket_.path], check=True)


def drop(bucket_):
    """Removes a kept bucket."""
    note_of(bucket_.path).unlink(missing_ok=True)
    shutil.rmtree(bucket_.path)


def count(folder, suffix=""):
    """Files whose name ends so, and their bytes."""
    files = size = 0
    for below, _, names in os.walk(folder):
        for name in names:
            if name.endswith(suffix):
                files += 1
                size += os.stat(os.path.join(below, name)).st_size
    return files, size
