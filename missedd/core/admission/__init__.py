"""Pure decisions: what a missed call leads to, and what makes an action wait or drops it."""
