"""Emulated buckets, kept between benchmarks."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from measuring.figures import megabytes
from measuring.program import environment

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
    """Writes a slice into a folder, which may hold others already."""
    command = [binary, "emulate", path, "--quiet", *slice_.options]
    subprocess.run(list(map(str, command)), env=environment(), check=True)


def bucket(binary, slice_, data):
    """The bucket of a slice below the folder `data`: the one of last time, if it is there."""
    name = "-".join(f"{option.lstrip('-')}" for option in map(str, slice_.options))
    path, note = data / name, data / f"{name}.json"
    if not note.exists():
        shutil.rmtree(path, ignore_errors=True)
        emulate(binary, slice_, path)
        objects, size = count(path)
        note.write_text(json.dumps({"objects": objects, "bytes": size}))
    return Bucket(path, **json.loads(note.read_text()))


def warm(bucket_):
    """Reads all of it, so that the first run does not wait for the disk and the others not."""
    subprocess.run([sys.executable, READ_ALL, bucket_.path], check=True)


def drop(bucket_):
    """Removes a kept bucket."""
    bucket_.path.with_name(bucket_.path.name + ".json").unlink(missing_ok=True)
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
