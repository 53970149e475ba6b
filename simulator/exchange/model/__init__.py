"""What the exchange knows: calls and SMS as they truly are, people, faults, settings."""
