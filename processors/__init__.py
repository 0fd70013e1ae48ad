"""The library of processors: flat modules by subject, each processor declared once."""
