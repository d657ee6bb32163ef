"""The API server of a scenario: tests/cluster as it is, but for the audit log and the controllers."""
import os, re, shutil, signal, subprocess, tempfile, time

from program import cpu_of, read

HERE = os.path.dirname(os.path.abspath(__file__))
CLUSTER = os.path.join(HERE, "..", "cluster")


def server_env(kubeconfig):
    """KUBECONFIG, and address and token of its only cluster for those that cannot read it."""
    text = read(kubeconfig)
    find = lambda key: re.search(rf'{key}: *"?([^\s",}}]+)', text)[1]
    return {"KUBECONFIG": kubeconfig, "BENCH_SERVER": find("server"), "BENCH_TOKEN": find("token")}


class Server:
    """What a scenario asks of any server: the environment of its programs, and the CPU that it took."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="leasehold-bench.")
        self.kubeconfig, self.pids = None, []

    def env(self):
        return server_env(self.kubeconfig)

    def cpu(self):
        return sum(map(cpu_of, self.pids))

    def stop(self):
        shutil.rmtree(self.dir, ignore_errors=True)


class Cluster(Server):
    """etcd and kube-apiserver, with nothing beside them that would take part."""

    def __init__(self):
        super().__init__()
        policy = os.path.join(self.dir, "no-audit.yaml")
        with open(policy, "w") as f:
            f.write("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None}]\n")
        try:
            subprocess.run([os.path.join(CLUSTER, "up"), self.dir, f"--audit-policy-file={policy}"], check=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        except subprocess.CalledProcessError:
            super().stop()
            raise
        self.kubeconfig = os.path.join(self.dir, "admin.kubeconfig")
        pid = lambda name: int(read(os.path.join(self.dir, name + ".pid")))
        while "kube-controller-manager" not in read(f"/proc/{pid('kcm')}/cmdline"):
            time.sleep(0.01)  # still the shell that starts it, which would end the servers with it
        os.kill(pid("kcm"), signal.SIGTERM)
        self.pids = [pid("api"), pid("etcd")]

    def stop(self):
        subprocess.run([os.path.join(CLUSTER, "down"), self.dir], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        super().stop()


class Devapi(Server):
    """The embedded API server, for checks of the harness."""

    def __init__(self, binary):
        super().__init__()
        self.kubeconfig = os.path.join(self.dir, "kubeconfig")
        self.process = subprocess.Popen([binary, "dev", "--quiet", "--listen", "127.0.0.1:0", "--dir", self.dir],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.pids = [self.process.pid]
        end = time.time() + 10
        while not (os.path.exists(self.kubeconfig) and os.path.getsize(self.kubeconfig)):
            if time.time() > end or self.process.poll() is not None:
                raise RuntimeError("leasehold dev does not start")
            time.sleep(0.02)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        super().stop()
