"""What a missed call leads to, and what may keep an action waiting or drop it: pure decisions."""
