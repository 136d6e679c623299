"""Random tokens in every form, between ctkip, stoken and python-securid.

Each token is made by one program, written in one form, and read by the others; then tokencodes at
50 times have to agree. Prints a PASS or FAIL line for each form and direction.
"""

import argparse
import random
import subprocess
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from securid.sdtid import SdtidFile
from securid.stoken import StokenFile

PASSWORD = "correct horse"
DEVICE = "a01c4380-fc01-4df0-b113-7fb98ec74694"
# Name: options of `ctkip export`, options of `stoken export`, what opens it, who of the peers reads it.
# python-securid knows neither dashes nor links nor version 3 nor locks of numeric tokens.
FORMS = {
    "sdtid": (["--to", "sdtid"], ["--sdtid"], {}, "sdtid"),
    "sdtid with password": (["--to", "sdtid"], ["--sdtid"], {"password"}, "sdtid"),
    "ctf": (["--to", "ctf"], [], {}, "ctf"),
    "ctf with password": (["--to", "ctf"], [], {"password"}, None),
    "ctf with device": (["--to", "ctf"], [], {"devid"}, None),
    "ctf with both": (["--to", "ctf"], [], {"password", "devid"}, None),
    "blocks": (["--to", "blocks"], ["--blocks"], {}, None),
    "android": (["--to", "android"], ["--android"], {}, None),
    "android with device": (["--to", "android"], ["--android"], {"devid"}, None),
    "iphone": (["--to", "iphone"], ["--iphone"], {}, None),
    "v3": (["--to", "v3"], ["--v3"], {}, None),
    "v3 with both": (["--to", "v3"], ["--v3"], {"password", "devid"}, None),
    "stokenrc": (["--to", "stokenrc"], None, {}, "stokenrc"),
}
TEMPLATE = (
    "<TKNBatch><TKNHeader><DefDigits>{digits}</DefDigits><DefInterval>{interval}</DefInterval>"
    "<DefAddPIN>{add_pin}</DefAddPIN></TKNHeader><TKN><SN>{serial}</SN><Death>{death}</Death></TKN></TKNBatch>"
)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:4])}…: exit status {done.returncode}: {done.stderr.strip()[-200:]}")
    return done.stdout


def times(rng):
    edges = [1709251199, 1709251200, 1767225599, 1767225600, 2147483647, 2147483648, 951782399]
    return edges + [rng.randrange(946684800, 2500000000) for _ in range(50 - len(edges))]


class Run:
    def __init__(self, ctkip, work):
        self.ctkip, self.work = ctkip, Path(work)

    def ours(self, *arguments):
        return run(self.ctkip, *arguments)

    def opens(self, locks):
        """Options that open a locked token, the same for both programs."""
        options = []
        if "password" in locks:
            options += ["--password", PASSWORD]
        if "devid" in locks:
            options += ["--devid", DEVICE]
        return options

    def locks_new(self, locks):
        options = []
        if "password" in locks:
            options += ["--new-password", PASSWORD]
        if "devid" in locks:
            options += ["--new-devid", DEVICE]
        return options

    def template(self, rng, name):
        path = self.work / f"{name}.xml"
        death = date(2030, 1, 1) + timedelta(days=rng.randrange(2900))
        path.write_text(
            TEMPLATE.format(
                digits=rng.choice([6, 8, 8, 4]),
                interval=rng.choice([30, 60]),
                add_pin=rng.choice([0, 1]),
                serial=f"{rng.randrange(10**12):012}",
                death=death.strftime("%Y/%m/%d"),
            )
        )
        return path

    def our_codes(self, path, opens, when):
        return [self.ours("tokencode", str(path), "--at", str(t), "--pin", "0000", "--force", *opens).strip() for t in when]

    def stoken_codes(self, path, opens, when, source="--file"):
        command = ["stoken", "tokencode", "--batch", "--force", "--pin", "0000", source, str(path), *opens]
        return [run(*command, "--use-time", str(t)).splitlines()[-1].strip() for t in when]

    def securid_codes(self, path, kind, opens, when):
        if kind == "sdtid":
            token = SdtidFile(str(path)).get_token(password=opens.get("password"))
        elif kind == "stokenrc":
            token = StokenFile(filename=str(path)).get_token()
        else:
            token = StokenFile(data=path.read_text().strip()).get_token()
        return [token.at(datetime.fromtimestamp(t, tz=timezone.utc).replace(tzinfo=None)) for t in when]

    def written_by_us(self, name, index, seed):
        rng = random.Random(seed)
        ours, _, locks, peer = FORMS[name]
        base = self.work / f"ours-{index}.sdtid"
        self.ours("issue", "--template", str(self.template(rng, f"ours-{index}")), "-o", str(base))
        path = self.work / f"ours-{index}.{name.replace(' ', '-')}"
        path.write_text(self.ours("export", str(base), *ours, *self.locks_new(locks)))
        when = times(rng)
        reference = self.our_codes(base, [], when)
        assert len(set(reference)) > 40, f"the codes hardly differ: {reference[:3]}"
        source = "--rcfile" if name == "stokenrc" else "--file"
        theirs = self.stoken_codes(path, self.opens(locks), when, source)
        if theirs != reference:
            return f"stoken reads other codes from token {index}"
        if peer:
            secrets = {"password": PASSWORD} if "password" in locks else {}
            if self.securid_codes(path, peer, secrets, when) != reference:
                return f"python-securid reads other codes from token {index}"
        return None

    def written_by_stoken(self, name, index, seed):
        rng = random.Random(seed)
        _, theirs, locks, _ = FORMS[name]
        base = self.work / f"theirs-{index}.sdtid"
        template = self.template(rng, f"theirs-{index}")
        base.write_text(run("stoken", "export", "--batch", "--random", "--sdtid", "--template", str(template)))
        path = self.work / f"theirs-{index}.{name.replace(' ', '-')}"
        when = times(rng)[:10]
        if theirs is None:
            run("stoken", "import", "--batch", "--rcfile", str(path), "--file", str(base), "--new-password", "")
            reference = self.stoken_codes(path, [], when, "--rcfile")
        else:
            command = ["stoken", "export", "--batch", "--file", str(base), *theirs, *self.locks_new(locks)]
            path.write_text(run(*command))
            reference = self.stoken_codes(base, [], when)
        if self.our_codes(path, self.opens(locks), when) != reference:
            return f"ctkip reads other codes from token {index}"
        return None


    def where_securid_is_wrong(self):
        """Files on which python-securid differs: ctkip agrees with stoken there, by name of the mistake."""
        mistakes = {
            "a short serial number": "<TKN><SN>1234567</SN></TKN>",
            "text outside ASCII": "<TKN><SN>123456789012</SN><UserLogin>J\u00e9r\u00f4me</UserLogin></TKN>",
            "an empty element": "<TKN><SN>123456789012</SN><UserLogin></UserLogin></TKN>",
        }
        when = times(random.Random(9))[:10]
        for name, token in mistakes.items():
            template = self.work / "mistake.xml"
            template.write_text(f"<TKNBatch>{token}</TKNBatch>", encoding="utf-8")
            path = self.work / "mistake.sdtid"
            path.write_text(run("stoken", "export", "--batch", "--random", "--sdtid", "--template", str(template)))
            reference = self.stoken_codes(path, [], when)
            try:
                securid = "other codes" if self.securid_codes(path, "sdtid", {}, when) != reference else None
            except Exception as error:
                securid = type(error).__name__
            label = f"where python-securid is wrong: {name}"
            if self.our_codes(path, [], when) != reference:
                print(f"FAIL {label}: ctkip differs from stoken")
            elif securid is None:
                print(f"FAIL {label}: python-securid is right by now, so drop this exception")
            else:
                print(f"PASS {label} ({securid}; ctkip agrees with stoken)")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ctkip", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--seed", type=int, default=4758)
    options = parser.parse_args()
    run_ = Run(options.ctkip, options.work)
    names = list(FORMS)
    jobs = []
    for index in range(options.tokens):
        name = names[index % len(names)]
        jobs.append((f"written by ctkip: {name}", run_.written_by_us, name, index, options.seed + index))
        if index % 2 == 0:
            other = names[(index // 2) % len(names)]
            jobs.append((f"written by stoken: {other}", run_.written_by_stoken, other, index, options.seed + index))

    def one(job):
        label, function, *arguments = job
        try:
            return label, function(*arguments)
        except Exception as error:  # a peer that stops is a finding too
            return label, f"token {arguments[1]}: {type(error).__name__}: {error}"

    ran, failures = defaultdict(int), defaultdict(list)
    with ThreadPoolExecutor(max_workers=2) as pool:
        for label, failure in pool.map(one, jobs):
            ran[label] += 1
            if failure:
                failures[label].append(failure)
    for label, count in ran.items():
        if failures[label]:
            print(f"FAIL {label}: {len(failures[label])} of {count}: {failures[label][0]}")
        else:
            print(f"PASS {label} ({count} tokens)")
    run_.where_securid_is_wrong()
    total = sum(count for label, count in ran.items() if "by ctkip" in label)
    print(f"# {total} tokens of ours, {sum(ran.values()) - total} of stoken's")


main()
