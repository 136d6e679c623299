"""Loads `ctkip serve --store`, and prints Markdown tables and a line a goal.

Every handshake spends a code of its own and ends with a token on disk. The generator
(tests/examples/load.rs) runs on the same cores. How many commits a second the disk makes by itself is measured
in the same run, on the same disk.
"""

import argparse
import csv
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path

GOAL_PER_SECOND = 3000
GOAL_P99_MS = 50
GOAL_GROWTH_MIB = 10
GOAL_LOOKUPS = 1.5
CONNECTIONS = 16


class Store:
    def __init__(self, options, name, url):
        self.options, self.name, self.url = options, name, url
        self.codes, self.taken = [], 0
        self.runs = []
        self.master = options.work / f"{name.split()[0]}.key"
        if not self.master.exists():
            subprocess.run([options.ctkip, "keys", "make-master", self.master], check=True, capture_output=True)

    def command(self, *words):
        return [self.options.ctkip, *words, "--store", self.url, "--master-key-file", self.master]

    def enrol(self, count):
        """Enrols so many users, and keeps their codes."""
        users, codes = self.options.work / "users.csv", self.options.work / "codes.csv"
        began = time.monotonic()
        left = count
        while left:
            some = min(left, 100_000)
            left -= some
            users.write_text("user\n" + "load\n" * some)
            codes.unlink(missing_ok=True)
            subprocess.run(self.command("enrol", "--csv", users, "--out", codes, "--key-bits", "1024"), check=True, capture_output=True)
            with codes.open() as file:
                self.codes += [row["code"] for row in csv.DictReader(file)]
        return count / (time.monotonic() - began)

    def take(self, count):
        """A file with codes that nobody used yet."""
        path = self.options.work / f"take-{self.taken}"
        path.write_text("".join(f"{code}\n" for code in self.codes[self.taken : self.taken + count]))
        self.taken += count
        return path

    def serve(self):
        words = self.command("serve", "--listen", "127.0.0.1:0", "--log", "none", "--json", *self.options.backend)
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = process.stdout.readline()
        if not line:
            sys.exit(f"{self.name}: {process.stderr.read()}")
        return process, json.loads(line)["url"]


def start_load(options, node, codes, count, connections):
    process, url = node
    words = [options.load, url, f"@{codes}", "--handshakes", str(count), "--connections", str(connections), "--pid", str(process.pid)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def ended(load):
    words = load.communicate()[0].split()
    if load.returncode:
        sys.exit("the load ended with a failure")
    return {name: float(value) for name, value in zip(words[::2], words[1::2])}


def loaded(store, nodes, count):
    """One round: all nodes together get so many handshakes, over the same number of connections."""
    options, share = store.options, count // len(nodes)
    loads = [start_load(options, node, store.take(share), share, CONNECTIONS // len(nodes)) for node in nodes]
    runs = [ended(load) for load in loads]
    return {
        "per_second": count / max(run["seconds"] for run in runs),
        "server_us": statistics.mean(run["server_us"] for run in runs),
        "p50_ms": statistics.mean(run["p50_ms"] for run in runs),
        "p99_ms": max(run["p99_ms"] for run in runs),
        "rss_kib": sum(run["rss_kib"] for run in runs),
        "unavailable": sum(run["unavailable"] for run in runs),
    }


def bare_commits(folder, seconds=2.0):
    """Commits a second of one row each, WAL and synchronous=FULL, one writer."""
    path = folder / "bare.db"
    database = sqlite3.connect(path, isolation_level=None)
    mode = database.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    database.execute("PRAGMA synchronous=FULL")
    full = database.execute("PRAGMA synchronous").fetchone()[0]
    assert (mode, full) == ("wal", 2), (mode, full)
    database.execute("CREATE TABLE IF NOT EXISTS row (number INTEGER PRIMARY KEY, octets BLOB)")
    began, count = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        database.execute("INSERT INTO row (octets) VALUES (?)", (bytes(200),))
        count += 1
    database.close()
    return count / (time.monotonic() - began)


def measure(store, nodes, options, commits):
    count = options.handshakes_a_round
    nodes = [store.serve() for _ in range(nodes)]
    try:
        loaded(store, nodes, count // 4)  # warm
        for _ in range(options.rounds):
            commits.append(bare_commits(options.work))
            store.runs.append(loaded(store, nodes, count))
    finally:
        for process, _ in nodes:
            process.terminate()
            process.wait()


def memory(store, options):
    """Resident memory after a tenth of the tokens and after all, in MiB."""
    all_tokens, tenth = options.tokens, options.tokens // 10
    speed = store.enrol(all_tokens)
    node = store.serve()
    try:
        first = loaded(store, [node], tenth)
        rest = loaded(store, [node], all_tokens - tenth)
    finally:
        node[0].terminate()
        node[0].wait()
    return speed, tenth, first["rss_kib"] / 1024, all_tokens, rest["rss_kib"] / 1024, rest["per_second"]


def judge(name, value, goal, at_least, unit=""):
    good = value >= goal if at_least else value <= goal
    print(f"{'PASS' if good else 'FAIL'} {name}: {value:.2f}{unit}, {'at least' if at_least else 'at most'} {goal}{unit}")
    return not good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ctkip", required=True)
    parser.add_argument("--load", required=True)
    parser.add_argument("--lookups", required=True, help="tests/examples/lookups.rs, built")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--openssl", action="store_true", help="ctkip was built with OpenSSL")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--handshakes-a-round", type=int, default=20_000)
    parser.add_argument("--tokens", type=int, default=1_000_000, help="when memory is looked at")
    parser.add_argument("--enrolments", type=int, default=1_000_000, help="when lookups are timed")
    options = parser.parse_args()
    options.backend = ["--rsa", "openssl"] if options.openssl else []
    backend = "OpenSSL" if options.openssl else "RustCrypto"

    wanted = options.handshakes_a_round * options.rounds + options.handshakes_a_round // 4
    stores, commits = [], []
    sqlite = Store(options, "SQLite", f"sqlite:{options.work}/load.db")
    sqlite.enrol(wanted)
    measure(sqlite, 1, options, commits)
    stores.append((sqlite, 1))
    mode = sqlite3.connect(options.work / "load.db").execute("PRAGMA journal_mode").fetchone()[0]
    assert mode == "wal", mode

    postgres = os.environ.get("CTKIP_TEST_POSTGRES_URL")
    for nodes in (1, 2) if postgres else ():
        subprocess.run(["psql", postgres, "-qc", f"CREATE DATABASE load{nodes}"], check=True)
        url = f"{postgres.rsplit('/', 1)[0]}/load{nodes}"
        store = Store(options, f"PostgreSQL{nodes} ", url)
        store.enrol(wanted)
        measure(store, nodes, options, [])
        stores.append((store, nodes))

    print(f"\nKeys of 1024 bits, {backend}, {CONNECTIONS} connections; medians of {options.rounds} rounds of "
          f"{options.handshakes_a_round} tokens; the disk by itself: {statistics.median(commits):.0f} commits/s.\n")
    print("| store | nodes | tokens/s | server CPU, µs each | p50 / p99, ms |")
    print("|---|---|---|---|---|")
    for store, nodes in stores:
        middle = {field: statistics.median(run[field] for run in store.runs) for field in store.runs[0]}
        print(f"| {store.name.rstrip(' 12')} | {nodes} | {middle['per_second']:.0f} | {middle['server_us']:.0f} "
              f"| {middle['p50_ms']:.1f} / {middle['p99_ms']:.1f} |")
    if not postgres:
        print("SKIP PostgreSQL: CTKIP_TEST_POSTGRES_URL is not set (tests/with-postgres.sh sets it)")

    speed, tenth, first, tokens, last, pace = memory(Store(options, "Memory", f"sqlite:{options.work}/memory.db"), options)
    print(f"\nResident after {tenth} tokens {first:.1f} MiB, after {tokens} {last:.1f} MiB, the later at {pace:.0f} a second. "
          f"Enrolling: {speed:.0f} a second.\n")
    words = subprocess.run([options.lookups, options.work, str(options.enrolments)], check=True, capture_output=True, text=True).stdout
    print(words)
    ratio = float(words.split()[-1])

    missed = 0
    runs = sqlite.runs
    missed += judge(f"SQLite, {backend}: tokens/s", statistics.median(run["per_second"] for run in runs), GOAL_PER_SECOND, True)
    missed += judge("SQLite: p99", statistics.median(run["p99_ms"] for run in runs), GOAL_P99_MS, False, " ms")
    missed += judge(f"memory from {tenth} to {tokens} tokens", last - first, GOAL_GROWTH_MIB, False, " MiB")
    missed += judge(f"lookups among {options.enrolments} enrolments to among 1000", ratio, GOAL_LOOKUPS, False)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
