"""The statement with which a transaction takes its locks: advisory locks, all of them in one order.

    await db.fetch_all(LOCK_STATEMENT, lock_parameters(keys))

It must be the transaction's first statement that takes a lock or reads what is decided by. In READ COMMITTED
each later statement then sees what the nodes have committed that held the keys before.
"""

from __future__ import annotations

import json
from typing import Final

from missedd.store.db.lock_keys import LockKeys

# The lock on everything comes first, as a shared one for units about some people. The planner calls the
# functions in the order of the sorted rows, as `place` and `key` come out of a subquery with ORDER BY.
LOCK_STATEMENT: Final = """
SELECT CASE WHEN place = 0 AND NOT everything THEN pg_advisory_xact_lock_shared(key)
            ELSE pg_advisory_xact_lock(key) END
FROM (SELECT DISTINCT place, key, CAST(? AS bigint) = 1 AS everything
      FROM (SELECT 0 AS place, hashtextextended('missedd: everything', 0) AS key
            UNION ALL
            SELECT 1, hashtextextended(value, 0) FROM json_array_elements_text(CAST(? AS json))
            UNION ALL
            SELECT 1, hashtextextended(a.number, 0) FROM actions a
            WHERE a.id IN (SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(? AS json)))
           ) wanted
      ORDER BY place, key) sorted"""


def lock_parameters(keys: LockKeys) -> tuple[int, str, str]:
    """The parameters of `LOCK_STATEMENT`. Whoever locks everything needs no other key."""
    if keys.everything:
        return 1, "[]", "[]"
    return 0, json.dumps(sorted(keys.texts)), json.dumps(sorted(keys.action_ids))
