"""Which unit of work makes which change."""

from __future__ import annotations

from typing import Final

from missedd.store.operations import actions, campaigns, leads, numbers, quarantine
from missedd.store.operations.effect import OperationTable

OPERATIONS: Final[OperationTable] = {
    **numbers.OPERATIONS,
    **campaigns.OPERATIONS,
    **actions.OPERATIONS,
    **leads.OPERATIONS,
    **quarantine.OPERATIONS,
}
