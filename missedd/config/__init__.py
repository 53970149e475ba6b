"""The configuration file: one file a table of it, read into settings and a policy, all problems at once."""
