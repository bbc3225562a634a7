"""Accepts one line with two integers within +-10^15, written without spare signs or zeros."""

import re
import sys

NUMBER = r"(0|-?[1-9][0-9]*)"

match = re.fullmatch(f"{NUMBER} {NUMBER}\n", sys.stdin.read())
if match is None or any(abs(int(number)) > 10**15 for number in match.groups()):
    sys.exit(43)
sys.exit(42)
