"""Accepts one line with an integer from 1 to 20000."""

import re
import sys

text = sys.stdin.read()
if re.fullmatch(r"[1-9][0-9]*\n", text) is None or int(text) > 20000:
    sys.exit(43)
sys.exit(42)
