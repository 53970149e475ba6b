"""What the store can tell: the one place that readers of it go to.

Every function runs SELECTs only, on whatever connection it is given, so the reader's read-only
one serves as well as a test's.
"""

from __future__ import annotations

from missedd.store.reads_calls import Rows, call_story, story_of_number
from missedd.store.reads_figures import campaigns, figures, gauges
from missedd.store.reads_lists import actions, calls, due_next, latest_calls, leads, suppressions

__all__ = [
    "Rows",
    "actions",
    "call_story",
    "calls",
    "campaigns",
    "due_next",
    "figures",
    "gauges",
    "latest_calls",
    "leads",
    "story_of_number",
    "suppressions",
]
