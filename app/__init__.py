"""A real-time chat backend you own."""

__version__ = "0.1.0"
