"""What is known about a caller: lead, consent, suppression, verification, conversion; and erasing it."""
