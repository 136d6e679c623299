"""Times pairs of programs that do the same thing and prints a Markdown table.

A ratio is the median of the pairs' ratios, so that a slow second of the machine does
not decide. What of the wall clock is the server's is timed as well: the requests of
one run, posted again through a bare socket.
"""

import argparse
import contextlib
import http.client
import io
import os
import platform
import socket
import statistics
import sys
import time
from collections import namedtuple
from pathlib import Path

import requests
from rsa_ct_kip import client

CODE = "314159265358"
PROVISION_GOAL, TOKENCODE_GOAL = 30, 4  # times faster by the wall clock

Cost = namedtuple("Cost", "wall cpu")  # milliseconds


def run(*command):
    """Cost of a process with all the processes it waited for."""
    quiet = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    start = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=quiet)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{' '.join(command)}: exit status {os.waitstatus_to_exitcode(status)}")
    return Cost(1000 * wall, 1000 * (usage.ru_utime + usage.ru_stime))


def provision(saved, *command):
    """Cost of a process that makes this file."""
    saved.unlink(missing_ok=True)
    return run(*command)


def in_turn(count, *actions):
    """Results of the actions, done in turn so many times after one round that does not count."""
    rounds = [[action() for action in actions] for _ in range(count + 1)]
    return zip(*rounds[1:])


def requests_of_a_run(url):
    """What the peer's client posts. Its server keeps no state, so it can be posted again."""
    posted = []
    send = requests.Session.send

    def recording_send(session, request, **kwargs):
        posted.append(request)
        return send(session, request, **kwargs)

    requests.Session.send = recording_send
    with contextlib.redirect_stdout(io.StringIO()):
        client.main([url, CODE])
    requests.Session.send = send
    return [
        "".join(
            ["POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"]
            + [f"{name}: {value}\r\n" for name, value in request.headers.items()]
            + ["\r\n", request.body]
        ).encode()
        for request in posted
    ]


def bare_exchange(port, exchange):
    """Milliseconds until both answers are there, by their Content-Length: the server closes 10 ms later."""
    start = time.perf_counter()
    for request in exchange:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(request)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            answer.read()
        if answer.status != 200:
            sys.exit(f"the server answered {answer.status} {answer.reason}")
    return 1000 * (time.perf_counter() - start)


def spread(values):
    return f"{min(values):.1f} / {statistics.median(values):.1f} / {max(values):.1f}"


def ratio(ours, theirs):
    return statistics.median(b / a for a, b in zip(ours, theirs))


def rows(what, ours, theirs):
    for kind in Cost._fields:
        a, b = ([getattr(cost, kind) for cost in costs] for costs in (ours, theirs))
        yield f"| {what}, {'wall clock' if kind == 'wall' else 'CPU'} | {spread(a)} | {spread(b)} | {ratio(a, b):.1f} |"


def machine():
    cpuinfo = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in cpuinfo if line.startswith("model name")), platform.machine())
    load = f"load {os.getloadavg()[0]:.1f}"
    return f"{model}, {os.cpu_count()} cores, {load}, Linux {platform.release()}, Python {platform.python_version()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ctkip", required=True)
    parser.add_argument("--port", type=int, required=True, help="of the rsa_ct_kip server")
    parser.add_argument("--token", required=True, help="a token file, to take tokencodes from")
    parser.add_argument("--pairs", type=int, required=True)
    options = parser.parse_args()

    url = f"http://127.0.0.1:{options.port}/"
    saved = Path(options.token).with_name("saved.sdtid")
    peer = str(Path(sys.executable).with_name("rsa_ct_kip"))
    exchange = requests_of_a_run(url)
    ours, theirs, server = in_turn(
        options.pairs,
        lambda: provision(saved, options.ctkip, "provision", url, CODE, "-o", str(saved)),
        lambda: provision(saved, peer, url, CODE, str(saved)),
        lambda: bare_exchange(options.port, exchange),
    )
    our_codes, their_codes = in_turn(
        5 * options.pairs,
        lambda: run(options.ctkip, "tokencode", options.token, "--pin", "0000"),
        lambda: run("stoken", "tokencode", "--file", options.token, "--pin", "0000"),
    )

    print(f"{options.pairs} pairs of `provision`, {5 * options.pairs} of `tokencode`; {machine()}\n")
    print("| milliseconds, min / median / max | ctkip | peer | times faster |")
    print("|---|---|---|---|")
    print(*rows("provision and save (rsa_ct_kip 0.6.0 with stoken)", ours, theirs), sep="\n")
    print(*rows("tokencode from a file (stoken)", our_codes, their_codes), sep="\n")

    share = statistics.median(server)
    own = [statistics.median(cost.wall for cost in costs) - share for costs in (ours, theirs)]
    print(f"\nThe server's share of either `provision` is {share:.1f} ms (bare socket client, median);")
    print(f"without it the medians are {own[0]:.1f} and {own[1]:.1f} ms.")

    missed = [
        f"{what}: {reached:.1f} times faster, the goal is {goal}"
        for what, reached, goal in (
            ("provision", ratio([c.wall for c in ours], [c.wall for c in theirs]), PROVISION_GOAL),
            ("tokencode", ratio([c.wall for c in our_codes], [c.wall for c in their_codes]), TOKENCODE_GOAL),
        )
        if reached < goal
    ]
    if missed:
        sys.exit("\n".join(missed))


if __name__ == "__main__":
    main()
