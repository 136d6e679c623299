#!/usr/bin/env bash
# Random tokens in every form, both ways: what ctkip writes, stoken and python-securid read; what
# stoken writes, ctkip reads. TOKENS=200 tokens, 50 tokencodes each.
. "$(dirname "$0")/lib.sh"
need stoken
need_python
"$python" "$here/forms.py" --ctkip "$ctkip" --work "$work" --tokens "${TOKENS:-200}"
