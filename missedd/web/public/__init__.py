"""The public listener: HTTP from Exotel, as fast as can be."""
