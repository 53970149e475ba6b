"""The outcome of a call or an SMS: status reports, and lookups where an answer was lost."""
