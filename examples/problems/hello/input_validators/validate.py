"""Accepts nothing but nothing."""

import sys

sys.exit(43 if sys.stdin.read() else 42)
