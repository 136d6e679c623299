"""The fake server of rsa_ct_kip 0.6.0 for a WSGI server. CTKIP_LOAD_KEY names an RSA key (PEM)
in place of the built-in one."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from server import load_fake_server, use_key  # noqa: E402

server = load_fake_server()
if os.environ.get("CTKIP_LOAD_KEY"):
    use_key(server, Path(os.environ["CTKIP_LOAD_KEY"]))
app = server.app
