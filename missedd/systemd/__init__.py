"""The interface to systemd: sockets that it passed, and the state of the service."""
