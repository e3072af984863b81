"""One process and all that it starts, from start to end: time, processor time, memory."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

PR_SET_CHILD_SUBREAPER = 36
PAGE = os.sysconf("SC_PAGE_SIZE")
# The kernel knows the peak of each process; samples are only for the sum of several.
SAMPLE_S, SEARCH_S = 0.02, 0.25
# So long has what outlives its parent to end by itself, and then again once it is killed.
GRACE_S = 10


class Failed(Exception):
    """A process ended with an error, or not in time; holds the end of what it said."""


@dataclass(frozen=True)
class Cost:
    """What one run took: seconds, seconds of all processors, bytes resident at most.

    Or until it was ended, if it did not finish.
    """

    wall: float
    cpu: float
    peak: int
    finished: bool = True


def prepare():
    """Makes this process the parent of what its children leave behind.

    Otherwise the processor time of a JVM that outlives its Python is lost. And whoever
    ends this process ends what it measures.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def measure(command, folder, timeout, env=None):
    """Runs a command in a folder, for at most `timeout` seconds, and gives its Cost.

    Raises Failed if it ends with an error. What it says goes to the file `said` there.
    The command's paths must be absolute. It does not run where the user is, for a
    pinclean.toml there would change what is measured.
    """
    log = folder / "said"
    with open(log, "wb") as said:
        begin = time.perf_counter()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                 start_new_session=True, cwd=folder, env=env)
        late = threading.Event()
        timer = threading.Timer(timeout, lambda: (late.set(), kill(child.pid)))
        timer.start()
        memory = Memory(child.pid)
        memory.start()
        try:
            _, status, usage = os.wait4(child.pid, 0)
            wall = time.perf_counter() - begin
        except BaseException:
            kill(child.pid)
            raise
        finally:
            timer.cancel()
            memory.stop()
    child.returncode = os.waitstatus_to_exitcode(status)
    usages = [usage, *reap()]
    if child.returncode != 0 and not late.is_set():
        with open(log, errors="replace") as said:
            end = said.read()[-2000:]
        raise Failed(f"{' '.join(map(str, command))}\nended with {child.returncode}: {end}")
    cpu = sum(one.ru_utime + one.ru_stime for one in usages)
    largest = max(one.ru_maxrss for one in usages) * 1024
    return Cost(wall, cpu, max(largest, memory.peak), not late.is_set())


def kill(session):
    try:
        os.killpg(session, signal.SIGKILL)
    except ProcessLookupError:
        pass


def reap():
    """The usages of orphans, in whatever session: those that do not end are killed."""
    usages, late = [], time.monotonic() + GRACE_S
    try:
        while time.monotonic() < late + GRACE_S:
            pid, _, usage = os.wait4(-1, os.WNOHANG)
            if pid:
                usages.append(usage)
                continue
            if time.monotonic() > late:
                kill_children()
            time.sleep(SAMPLE_S)
    except ChildProcessError:
        # There are no more.
        pass
    return usages


def kill_children():
    for pid in processes():
        if parent_of(pid) == os.getpid():
            os.kill(pid, signal.SIGKILL)


class Memory(threading.Thread):
    """Samples the sum of the resident memory of a session's processes."""

    def __init__(self, session):
        super().__init__(daemon=True)
        self.session, self.peak, self.over = session, 0, threading.Event()

    def run(self):
        found, searched = [self.session], time.monotonic()
        while not self.over.wait(SAMPLE_S):
            if time.monotonic() - searched > SEARCH_S:
                found, searched = members(self.session), time.monotonic()
            self.peak = max(self.peak, sum(map(resident, found)))

    def stop(self):
        self.over.set()
        self.join()


def processes():
    return map(int, filter(str.isdigit, os.listdir("/proc")))


def members(session):
    return [pid for pid in processes() if session_of(pid) == session]


def session_of(pid):
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat", errors="replace") as file:
            # The name comes first, in brackets, and may have any characters in it.
            return int(file.read().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return None


def resident(pid):
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * PAGE
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0


if sys.platform != "linux":
    sys.exit("these benchmarks read /proc: they need Linux")
