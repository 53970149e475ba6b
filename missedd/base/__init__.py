"""The basis of all other packages: time, values, errors of the system, files shipped with the program."""
