"""What became of a call or an SMS: status reports, and look-ups where an answer was lost."""
