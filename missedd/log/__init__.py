"""The log: its vocabulary of events, and how a line reaches a pipe, a terminal or the journal."""
