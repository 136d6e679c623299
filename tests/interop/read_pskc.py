"""Reads a PSKC file with python-pskc: a line per key with serial, user, seed, digits, interval and
algorithm, between tabs ("-" for what is missing).

    read_pskc.py FILE key HEX
    read_pskc.py FILE password PASSWORD-FILE

A password file is taken to its last octet. The exit status is 3 if the file does not open or a MAC
does not hold. (The script cannot be called pskc.py: Python would take it for the package.)
"""

import sys
from hmac import compare_digest
from pathlib import Path

from pskc import PSKC
from pskc.exceptions import PSKCError


def refuse(why):
    print(f"refused: {why}", file=sys.stderr)
    sys.exit(3)


def keys(path, kind, secret):
    pskc = PSKC(path)
    if kind == "key":
        pskc.encryption.key = bytes.fromhex(secret)
    else:
        pskc.encryption.derive_key(Path(secret).read_bytes())
    # python-pskc by itself takes values without a MAC, and MACs over the plaintext.
    if not pskc.mac.algorithm or not pskc.keys:
        refuse("no MACMethod, or no key")
    for key in pskc.keys:
        sealed = key._secret
        if not compare_digest(sealed.mac_value or b"", pskc.mac.generate_mac(sealed.cipher_value)):
            refuse(f"key {key.id}: ValueMAC is not that of IV and ciphertext")
        key.check()
        yield key.serial, key.userid, key.secret.hex(), key.response_length, key.time_interval, key.algorithm


def main():
    if len(sys.argv) != 4 or sys.argv[2] not in ("key", "password"):
        sys.exit(__doc__)
    try:
        for fields in list(keys(*sys.argv[1:])):
            print(*("-" if field is None else field for field in fields), sep="\t")
    except PSKCError as error:
        refuse(f"{type(error).__name__}: {error}")


main()
