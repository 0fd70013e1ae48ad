"""The commands of `trans`, one module each, imported only when called."""
