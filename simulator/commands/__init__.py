"""The commands of `missedd-sim`: serve, replay, fuzz, sweep, load."""
