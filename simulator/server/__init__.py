"""The exchange on a real port, with the `/_sim/` routes that steer it."""
