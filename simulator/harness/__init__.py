"""Replays scenarios against the real daemon, in virtual time."""
