"""The ground of the simulator: errors of the machine, interrupts, choices in words."""
