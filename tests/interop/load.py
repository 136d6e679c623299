"""Loads `ctkip serve` and the rsa_ct_kip server under gunicorn in turn, and prints Markdown tables.

All servers run at once and are loaded one after the other, round by round, so that a slow
minute of the machine falls on all of them; a figure is the median of its rounds. The generator
(tests/examples/load.rs) runs on the same cores.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

CODE = "123456789012"
LIFETIME = 5  # seconds that a session is remembered: bounds what is kept at a time
# What is to hold, by name: ratio, goal, and whether more is better.
GOALS = {
    "1024: handshakes/s, OpenSSL to Python": (8, True),
    "1024: handshakes/s, RustCrypto to Python": (3, True),
    "2048: server CPU, OpenSSL to the bare operation": (1.6, False),
    "1024: server CPU, RustCrypto to the bare operation": (1.3, False),
    "sealed sessions cost more, µs": (10, False),
    "memory after all to memory after a tenth": (1.1, False),
}


class Server:
    def __init__(self, name, process, url, bits):
        self.name, self.process, self.url, self.bits = name, process, url, bits
        self.runs = []

    def pids(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [str(self.process.pid), *children]

    def median(self, field):
        return statistics.median(run[field] for run in self.runs)


def ours(options, name, bits, *more):
    command = [options.ctkip, "serve", "--code", CODE, "--listen", "127.0.0.1:0", "--log", "none"]
    command += ["--key", key(options, bits), "--session-lifetime", str(LIFETIME), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    if not line.startswith("URL"):
        sys.exit(f"{name}: {process.stderr.read()}")
    return Server(name, process, line.split()[1], bits)


def peer(options, bits):
    log = options.work / f"gunicorn-{bits}.log"
    command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--bind", "127.0.0.1:0", "wsgi:app"]
    environment = os.environ | {"CTKIP_LOAD_KEY": key(options, bits)}
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env=environment, cwd=Path(__file__).parent)
    for _ in range(200):
        found = re.search(r"Listening at: (http://\S+)", log.read_text())
        if found and log.read_text().count("Booting worker") == 2:
            return Server("rsa_ct_kip, gunicorn, 2 workers", process, found[1] + "/", bits)
        time.sleep(0.1)
    sys.exit(f"gunicorn: {log.read_text()[-500:]}")


def key(options, bits):
    path = options.work / f"{bits}.pem"
    if not path.exists():
        subprocess.run(["openssl", "genrsa", "-traditional", "-out", path, str(bits)], check=True, capture_output=True)
    return str(path)


def load(options, server, *more):
    command = [options.load, server.url, CODE, *more]
    for pid in server.pids():
        command += ["--pid", pid]
    words = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return {name: float(value) for name, value in zip(words[::2], words[1::2])}


def bare(options, bits):
    """µs of CPU of one private operation, with all cores at it: RustCrypto, OpenSSL."""
    rustcrypto = float(subprocess.run([options.load, "bare", str(bits)], check=True, capture_output=True, text=True).stdout)
    cores = os.cpu_count()
    speed = ["openssl", "speed", "-seconds", "2", "-multi", str(cores), f"rsa{bits}"]
    words = subprocess.run(speed, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
    # It prints the time of an operation of all processes together.
    return rustcrypto, cores * 1e6 * float(re.search(r"bits\s+([0-9.]+)s", words)[1])


def measure(options):
    servers = []
    for bits in (1024, 2048):
        servers.append(peer(options, bits))
        servers.append(ours(options, "ctkip, RustCrypto", bits))
        if options.openssl:
            servers.append(ours(options, "ctkip, OpenSSL", bits, "--rsa", "openssl"))
            servers.append(ours(options, "ctkip, OpenSSL, sealed", bits, "--rsa", "openssl", "--sessions", "sealed"))
    bares = {1024: [], 2048: []}
    for _ in range(options.rounds):
        for bits, known in bares.items():
            known.append(bare(options, bits))
        for server in servers:
            server.runs.append(load(options, server, "--seconds", str(options.seconds)))
    for server in servers:
        server.process.terminate()
    return servers, {bits: [statistics.median(column) for column in zip(*known)] for bits, known in bares.items()}


def memory(options):
    """Resident memory (KiB) after a tenth of the handshakes and after all of them."""
    name, *backend = ("OpenSSL", "--rsa", "openssl") if options.openssl else ("RustCrypto",)
    server = ours(options, name, 1024, "--sessions", "sealed", *backend)
    tenth = options.handshakes // 10
    first = load(options, server, "--handshakes", str(tenth))
    last = load(options, server, "--handshakes", str(options.handshakes - tenth))
    server.process.terminate()
    return [(tenth, first), (options.handshakes, last)]


def tables(servers, bares, kept):
    print("| key | server | handshakes/s | server CPU, µs each | of the bare operation | p50 / p99, ms |")
    print("|---|---|---|---|---|---|")
    for server in servers:
        rustcrypto, openssl = bares[server.bits]
        operation = openssl if "OpenSSL" in server.name else rustcrypto
        cpu = server.median("server_us")
        ratio = "" if "gunicorn" in server.name else f"{cpu / operation:.2f}"
        print(f"| {server.bits} | {server.name} | {server.median('per_second'):.0f} | {cpu:.0f} | {ratio} "
              f"| {server.median('p50_ms'):.1f} / {server.median('p99_ms'):.1f} |")
    for bits, (rustcrypto, openssl) in bares.items():
        print(f"\nBare private operation on all cores, {bits}: RustCrypto {rustcrypto:.0f} µs, OpenSSL {openssl:.0f} µs.", end="")
    client = statistics.median(server.median("client_us") for server in servers)
    print(f"\n\nThe generator itself takes {client:.0f} µs of CPU a handshake.")
    for handshakes, run in kept:
        print(f"Resident after {handshakes} handshakes with sealed sessions: {run['rss_kib'] / 1024:.1f} MiB "
              f"({run['unavailable']:.0f} turned away).")


def judge(servers, bares, kept):
    find = {(server.bits, server.name): server for server in servers}
    python = find[1024, "rsa_ct_kip, gunicorn, 2 workers"].median("per_second")
    rust = find[1024, "ctkip, RustCrypto"]
    found = {
        "1024: handshakes/s, RustCrypto to Python": rust.median("per_second") / python,
        "1024: server CPU, RustCrypto to the bare operation": rust.median("server_us") / bares[1024][0],
        "memory after all to memory after a tenth": kept[1][1]["rss_kib"] / kept[0][1]["rss_kib"],
    }
    if (1024, "ctkip, OpenSSL") in find:
        found["1024: handshakes/s, OpenSSL to Python"] = find[1024, "ctkip, OpenSSL"].median("per_second") / python
        found["2048: server CPU, OpenSSL to the bare operation"] = find[2048, "ctkip, OpenSSL"].median("server_us") / bares[2048][1]
        # Each round's two are neighbours in time.
        pairs = zip(find[1024, "ctkip, OpenSSL"].runs, find[1024, "ctkip, OpenSSL, sealed"].runs)
        found["sealed sessions cost more, µs"] = statistics.median(b["server_us"] - a["server_us"] for a, b in pairs)
    missed = 0
    print()
    for name, (goal, more) in GOALS.items():
        if name not in found:
            print(f"SKIP {name}: built without OpenSSL")
            continue
        good = found[name] >= goal if more else found[name] <= goal
        missed += not good
        print(f"{'PASS' if good else 'FAIL'} {name}: {found[name]:.2f}, {'at least' if more else 'at most'} {goal}")
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ctkip", required=True)
    parser.add_argument("--load", required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--openssl", action="store_true", help="ctkip was built with OpenSSL")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each run")
    parser.add_argument("--handshakes", type=int, default=1_000_000, help="when memory is looked at")
    options = parser.parse_args()
    servers, bares = measure(options)
    kept = memory(options)
    tables(servers, bares, kept)
    sys.exit(1 if judge(servers, bares, kept) else 0)


if __name__ == "__main__":
    main()
