"""How fast missedd is, measured beside what it is compared with: `python -m bench`."""
