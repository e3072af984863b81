"""Who takes part: each a command that cleans the three tables of a bucket."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from measuring.bucket import READ_ALL

CLEAN = Path(__file__).resolve().parent / "clean"


@dataclass(frozen=True)
class Job:
    """One run: what to read, where to write, and a folder for what it needs meanwhile."""

    binary: Path
    python: Path
    bucket: Path
    out: Path
    scratch: Path

    @property
    def pattern(self):
        """The objects of a table, as a glob."""
        return f"{self.bucket}/topics/*.{{table}}/*/*.json"

    def pinclean(self, *options):
        return [self.binary, "run", "--source", self.bucket, "--out", self.out, "--quiet",
                "--max-rejects", "0", *options]

    def script(self, name, *rest, pattern=None):
        return [self.python, CLEAN / f"{name}_clean.py", self.out, pattern or self.pattern, *rest]

    def shell(self, name):
        joined = self.scratch / "joined"
        engine = self.script(name, pattern=f"{joined}/{{table}}.json")
        return [CLEAN / "shell", self.bucket, joined, *engine]


@dataclass(frozen=True)
class Engine:
    """A row of the table."""

    name: str
    label: str
    command: Callable[[Job], list]
    # The distribution that it needs, of which the version is printed.
    package: str | None = None
    # The floor only reads.
    writes: bool = True
    missing: Callable[[], str | None] = lambda: None


JAVA = 17


def java():
    """Why the Java that Spark would take does not do."""
    home = os.environ.get("JAVA_HOME")
    program = shutil.which(Path(home, "bin", "java") if home else "java")
    if program is None:
        where = "in $JAVA_HOME" if home else "in $PATH: apt-get install default-jre-headless"
        return f"Spark needs Java {JAVA} or newer, and there is none {where}"
    said = subprocess.run([program, "-version"], capture_output=True, text=True).stderr
    if java_release(said) < JAVA:
        return f"Spark needs Java {JAVA} or newer, and {program} is not"
    return None


def java_release(said):
    """17 of `openjdk version "17.0.15"`, 8 of `java version "1.8.0_392"`; else 0."""
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found[1]) if found else 0


ENGINES = [
    Engine("pinclean", "**pinclean**, Delta", lambda job: job.pinclean()),
    Engine("pinclean-parquet", "**pinclean**, Parquet",
           lambda job: job.pinclean("--format", "parquet")),
    Engine("shell-polars", "`find \\| xargs cat`, then Polars",
           lambda job: job.shell("polars"), "polars"),
    Engine("shell-duckdb", "`find \\| xargs cat`, then DuckDB",
           lambda job: job.shell("duckdb"), "duckdb"),
    Engine("polars", "Polars `scan_ndjson`", lambda job: job.script("polars"), "polars"),
    Engine("chdb", "ClickHouse local (chDB)", lambda job: job.script("chdb"), "chdb"),
    Engine("duckdb", "DuckDB `read_json`", lambda job: job.script("duckdb"), "duckdb"),
    Engine("spark", "PySpark, `local[*]`", lambda job: job.script(
        "spark", job.scratch, pattern=f"{job.bucket}/topics/*.{{table}}"), "pyspark", missing=java),
    Engine("floor", "the floor: list and read, nothing else",
           lambda job: [job.python, "-S", "-E", READ_ALL, job.bucket], writes=False),
]
NAMES = [engine.name for engine in ENGINES]
