"""Every action of an operator, in the order in which `missedd --help` names their commands."""

from __future__ import annotations

from typing import Final

from missedd.operator_actions import actions, campaigns, leads, numbers, quarantine
from missedd.operator_actions.leads import RecordConversions

ACTIONS: Final = (
    *numbers.ACTIONS,
    *campaigns.ACTIONS,
    *actions.ACTIONS,
    *leads.ACTIONS,
    *quarantine.ACTIONS,
)

AUDIT_ACTIONS: Final = tuple(
    dict.fromkeys([*(each.change.audit_action for each in ACTIONS), RecordConversions.audit_action])
)
"""Every name that the audit record may have for a change."""
