"""Compares the tokencodes of ctkip, stoken and python-securid for one .sdtid file.

Prints a line for each PIN: 50 times each, at both sides of the edges of intervals,
hours, days, months, leap days, years and of 32-bit time.
"""

import argparse
import subprocess
from datetime import datetime, timedelta, timezone

from securid.sdtid import SdtidFile

PINS = [None, "0000", "1234", "98765432"]

# Each gives two times: the second before it and the instant itself.
EDGES = [
    "2026-05-17T10:20:30",  # half minute
    "2026-05-17T10:21:00",  # odd and even minutes: one AES block has four codes
    "2026-05-17T10:21:30",
    "2026-05-17T10:22:00",
    "2026-05-17T10:23:00",
    "2026-05-17T10:24:00",
    "2026-05-17T10:59:30",
    "2026-05-17T11:00:00",  # hour
    "2026-05-17T12:00:00",
    "2026-05-18T00:00:00",  # day
    "2026-06-01T00:00:00",  # months of 31, 30 and 28 days
    "2026-07-01T00:00:00",
    "2026-03-01T00:00:00",
    "2027-01-01T00:00:00",  # years
    "2030-01-01T00:00:00",
    "2000-01-01T00:00:00",
    "2024-02-29T00:00:00",  # leap days, 2000 too
    "2024-03-01T00:00:00",
    "2028-02-29T00:00:00",
    "2028-03-01T00:00:00",
    "2000-02-29T00:00:00",
    "2000-03-01T00:00:00",
    "2038-01-19T03:14:08",  # 32-bit time, signed
    "2100-03-01T00:00:00",  # a century without a leap day
    "2106-02-07T06:28:16",  # 32-bit time, unsigned
]


def times():
    for edge in EDGES:
        instant = datetime.fromisoformat(edge).replace(tzinfo=timezone.utc)
        yield instant - timedelta(seconds=1)
        yield instant


def output(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
    return done.stdout.strip() if done.returncode == 0 else f"exit status {done.returncode}: {done.stderr.strip()}"


def disagreements(ctkip, file, token, pin, adds_pin):
    for time in times():
        unix = str(int(time.timestamp()))
        ours = output(ctkip, "tokencode", file, "--at", unix, *(["--pin", pin] if pin else []))
        stoken = output(
            *("stoken", "tokencode", "--file", file, "--use-time", unix),
            *("--force", "--batch", "--pin", pin or "0000"),
        )
        # python-securid adds a PIN whether or not the token asks for one.
        securid = token.at(time.replace(tzinfo=None), pin=int(pin or 0) if adds_pin else 0)
        if not ours == stoken == securid:
            yield f"at {time:%F %T}: ctkip {ours}, stoken {stoken}, python-securid {securid}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ctkip", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--no-pin", action="store_true", help="the token adds no PIN: any given is ignored")
    parser.add_argument("file")
    options = parser.parse_args()

    try:
        token = SdtidFile(options.file).get_token()
    except Exception as error:
        print(f"FAIL {options.name}: python-securid cannot read it: {error!r}")
        return
    for pin in PINS:
        check = f"{options.name}: {len(list(times()))} tokencodes, " + (f"PIN {pin}" if pin else "no PIN")
        wrong = list(disagreements(options.ctkip, options.file, token, pin, not options.no_pin))
        print(f"FAIL {check}: {len(wrong)} differ, the first {wrong[0]}" if wrong else f"PASS {check}")


if __name__ == "__main__":
    main()
