"""One run of a program of the contract, and what its processes cost."""
import json, os, queue, re, shlex, signal, subprocess, tempfile, threading, time

LOG_DIR = tempfile.mkdtemp(prefix="bench-logs-")


def read(path):
    with open(path) as f:
        return f.read()


def cpu_of(pid):
    """CPU seconds (user and system, all threads, also ended ones) of a process, at ns resolution."""
    return time.clock_gettime((~pid << 3) | 2)  # clock_getcpuclockid(pid)


def children_cpu_of(pid):
    """CPU seconds of the ended children that the process has waited for, at 10 ms resolution."""
    fields = read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def tree(root):
    """The process and all below it."""
    pids, at = [root], 0
    while at < len(pids):
        try:
            for task in os.listdir(f"/proc/{pids[at]}/task"):
                pids += map(int, read(f"/proc/{pids[at]}/task/{task}/children").split())
        except OSError:
            pass  # it has just ended
        at += 1
    return pids


class Program:
    """Started by the constructor; `root` and the processes below it are what is measured."""

    def __init__(self, name, command, env):
        self.events = queue.Queue()
        self.log = open(os.path.join(LOG_DIR, re.sub(r"[^\w.-]", "_", name) + f"-{time.time_ns()}.log"), "w")
        self.started = time.time()
        self.process = subprocess.Popen(shlex.split(command), env={**os.environ, "BENCH_ID": name, **env},
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.root = self.process.pid
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            now = time.time()
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if event.get("event") == "start":
                self.root = event.get("pid", self.root)
            self.events.put(event | {"t": now})

    def wait(self, name, timeout=600):
        """The next event of that name; what comes before it is dropped."""
        end = time.time() + timeout
        while (left := end - time.time()) > 0:
            if self.process.poll() is not None and self.events.empty():
                raise RuntimeError(f"the program ended with {self.process.returncode}; see {self.log.name}")
            try:
                event = self.events.get(timeout=min(left, 0.5))
            except queue.Empty:
                continue
            if event.get("event") == name:
                return event
        raise RuntimeError(f"no {name!r} in {timeout} s; see {self.log.name}")

    def stats(self):
        self.process.send_signal(signal.SIGUSR1)
        return self.wait("stats", 60)

    def signal(self, number):
        """To the program itself, not to what started it."""
        try:
            os.kill(self.root, number)
        except ProcessLookupError:
            pass

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGKILL)
                self.process.kill()
                self.process.wait()
        self.log.close()

    def _sum(self, read_one):
        total = 0
        for pid in tree(self.root):
            try:
                total += read_one(pid)
            except (OSError, TypeError):
                pass  # it has just ended
        return total

    def cpu(self):
        return self._sum(cpu_of) + self._sum(children_cpu_of)

    def status(self, key):
        return self._sum(lambda pid: int(re.search(rf"^{key}:\s+(\d+)", read(f"/proc/{pid}/status"), re.M)[1]))

    def pss_mb(self):
        return self._smaps("Pss")

    def private_mb(self):
        return self._smaps("Private_Clean") + self._smaps("Private_Dirty")

    def anonymous_mb(self):
        """Without pages of files, which go back without loss, and which other processes share on a machine with more of them."""
        return self._smaps("Anonymous")

    def _smaps(self, key):
        return self._sum(lambda pid: int(re.search(rf"^{key}:\s+(\d+)", read(f"/proc/{pid}/smaps_rollup"), re.M)[1])) / 1024

    def sockets(self):
        """(TCP connections, bytes received on them); (None, None) without ss."""
        try:
            text = subprocess.run(["ss", "-tinpHO", "state", "established"], capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            return None, None
        pids = tree(self.root)
        mine = [line for line in text.splitlines() if any(f"pid={pid}," in line for pid in pids)]
        return len(mine), sum(int(m[1]) for line in mine if (m := re.search(r"bytes_received:(\d+)", line)))
