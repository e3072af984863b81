"""The machine that a benchmark ran on."""

import datetime
import os
import platform
import subprocess
from pathlib import Path


def describe(folder):
    """Facts by name, as printed below a table; `folder` is where the data lie."""
    return {
        "processor": f"{model()}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{memory() / 2**30:.0f} GiB",
        "kernel": f"Linux {platform.release()}",
        "file system": file_system(folder),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
    }


def model():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def memory():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def file_system(folder):
    """What the folder is on, such as ext4."""
    said = subprocess.run(["stat", "--file-system", "--format=%T", folder],
                          capture_output=True, text=True, check=True)
    return said.stdout.strip()
