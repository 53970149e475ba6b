"""What is known of a caller: lead, consent, suppression, verification, conversion; and how it is erased."""
