"""The commands of `missedd`, one module each: `add_parser` describes it, `run` returns its exit code."""
