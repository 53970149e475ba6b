"""What systemd and the daemon say to each other: sockets that were passed, and the state of the service."""
