"""The fake server of rsa_ct_kip 0.6.0 as a peer under observation.

What it computes is left as it is. Around it: a port of our choice, a log of what came
in and of the token it arrived at, other keys and OTP parameters, TLS, and the faults
that a network or a real server adds.
"""

import argparse
import hashlib
import json
import logging
import os
import re
import socket
import ssl
import threading
from pathlib import Path

import flask
from Crypto.Cipher import PKCS1_OAEP
from Crypto.PublicKey import RSA
from werkzeug.serving import make_server

RECORDED_FAULT = Path(__file__).parents[1] / "vectors/exchanges/fault-wrong-code.json"


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--log", type=Path, required=True, help="file for what happened, a line each")
    parser.add_argument("--key", type=Path, help="RSA private key (PEM) in place of the built-in one")
    parser.add_argument("--tls", type=Path, help="certificate chain and key (PEM): serve HTTPS")
    parser.add_argument("--digits", default="8")
    parser.add_argument("--interval", default="60")
    parser.add_argument("--add-pin", default="1")
    parser.add_argument("--user", default="")
    parser.add_argument("--only-code", help="answer every other code with the recorded fault")
    parser.add_argument("--lose", type=int, default=0, help="drop the first N answers to a ClientNonce")
    parser.add_argument("--unobserved", action="store_true", help="log and change nothing: the server as it is, for timing")
    parser.add_argument("--lifetime", type=int, default=900, help="seconds until the server ends by itself")
    return parser.parse_args()


def load_fake_server():
    flask.Flask.run = lambda *args, **kwargs: None  # importing the module would start it
    from rsa_ct_kip import fakeserver

    return fakeserver


def log_to(path):
    lock = threading.Lock()

    def log(*words):
        with lock, path.open("a") as file:
            print(*words, file=file)

    return log


def observe(server, log):
    """Logs each request, and serial and seed of each token."""
    seeds = threading.local()
    prf, hello, nonce = server.ct_kip_prf_aes, server.handle_ClientHello, server.handle_ClientNonce

    def log_request(kind):
        digest = hashlib.sha256(flask.request.data).hexdigest()
        log(kind, flask.request.headers["Authorization"], digest)

    def observed_prf(key, *message, **kwargs):
        output = prf(key, *message, **kwargs)
        if b"Key generation" in message:
            seeds.latest = output
        return output

    def observed_hello(*request):
        log_request("hello")
        return hello(*request)

    def observed_nonce(*request):
        log_request("nonce")
        provisioning_data, finished = nonce(*request)
        key_id = re.search("<KeyID[^>]*>(.*?)</KeyID>", finished)[1]
        log("token", server.d64s(key_id), seeds.latest.hex())
        return provisioning_data, finished

    server.ct_kip_prf_aes = observed_prf
    server.handle_ClientHello, server.handle_ClientNonce = observed_hello, observed_nonce


def use_key(server, path):
    server.privk = RSA.import_key(path.read_text())
    server.pubk = server.privk.public_key()
    server.cipher = PKCS1_OAEP.new(server.privk)


def set_parameters(server, options):
    """Rewrites what the second answer says of the token; no MAC covers it."""
    nonce = server.handle_ClientNonce
    user = f'<UserID xmlns="">{options.user}</UserID>' if options.user else '<UserID xmlns=""/>'
    rewrites = {
        "<OTPLength>8<": f"<OTPLength>{options.digits}<",
        'TimeInterval="60"': f'TimeInterval="{options.interval}"',
        "<AddPIN>1<": f"<AddPIN>{options.add_pin}<",
        '<UserID xmlns=""/>': user,
    }

    def rewritten(document):
        for old, new in rewrites.items():
            document = document.replace(old, new)
        return document

    def configured_nonce(*request):
        return tuple(rewritten(document) for document in nonce(*request))

    server.handle_ClientNonce = configured_nonce


def refuse_other_codes(app, code):
    fault = json.loads(RECORDED_FAULT.read_text())["soap"]["response1"]

    @app.before_request
    def refuse():
        if flask.request.headers.get("Authorization") != code:
            return flask.Response(fault, mimetype="text/xml")


def lose_answers(app, count):
    """Closes the connection in place of the answer, after the server has done its work."""
    remaining = [count]

    @app.after_request
    def lose(response):
        if b"<ServerFinished" in inner_pdu(response) and remaining[0] > 0:
            remaining[0] -= 1
            flask.request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return response


def inner_pdu(response):
    from rsa_ct_kip.common import d64b

    found = re.search(rb"<Response>(.*?)</Response>", response.get_data(), re.DOTALL)
    return d64b(found[1]) if found else b""


def tls_context(chain):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


def main():
    options = parse_options()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server, log = load_fake_server(), log_to(options.log)
    if options.key:
        use_key(server, options.key)
    if not options.unobserved:
        set_parameters(server, options)
        observe(server, log)
        lose_answers(server.app, options.lose)
    if options.only_code:
        refuse_other_codes(server.app, options.only_code)

    timer = threading.Timer(options.lifetime, os._exit, [0])
    timer.daemon = True
    timer.start()
    context = tls_context(options.tls) if options.tls else None
    http = make_server("127.0.0.1", 0, server.app, threaded=True, ssl_context=context)
    log("port", http.port)
    http.serve_forever()


if __name__ == "__main__":
    main()
