"""Who takes part: each a command that cleans the three tables of a bucket."""

import shutil
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
    # The distribution that it is, of which the version is printed.
    package: str | None = None
    # The floor only reads.
    writes: bool = True
    missing: Callable[[], str | None] = lambda: None


def java():
    if shutil.which("java") is None:
        return "Spark needs Java, and there is none: apt-get install default-jre-headless"
    return None


ENGINES = [
    Engine("pinclean", "**pinclean**, Delta", lambda job: job.pinclean()),
    Engine("pinclean-parquet", "**pinclean**, Parquet",
           lambda job: job.pinclean("--format", "parquet")),
    Engine("shell-polars", "`find \\| xargs cat`, then Polars", lambda job: job.shell("polars")),
    Engine("shell-duckdb", "`find \\| xargs cat`, then DuckDB", lambda job: job.shell("duckdb")),
    Engine("polars", "Polars `scan_ndjson`", lambda job: job.script("polars"), "polars"),
    Engine("chdb", "ClickHouse local (chDB)", lambda job: job.script("chdb"), "chdb"),
    Engine("duckdb", "DuckDB `read_json`", lambda job: job.script("duckdb"), "duckdb"),
    Engine("spark", "PySpark, `local[2]`", lambda job: job.script(
        "spark", job.scratch, pattern=f"{job.bucket}/topics/*.{{table}}"), "pyspark", missing=java),
    Engine("floor", "the floor: list and read, nothing else",
           lambda job: [job.python, "-S", "-E", READ_ALL, job.bucket], writes=False),
]
NAMES = [engine.name for engine in ENGINES]
