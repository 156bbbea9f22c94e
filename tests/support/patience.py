"""How long a test waits for what has to come.

Where it comes, patience costs nothing; and a machine that other tests keep busy can stand still for seconds. What is promised to be fast
is measured by bench, and where a test does measure, it says so with a figure of its own.
"""

from __future__ import annotations

from typing import Final

DEADLINE: Final = 60.0
