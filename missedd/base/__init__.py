"""The ground that everything stands on: time, values, errors of the machine, files that come along."""
