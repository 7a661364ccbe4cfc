"""Measures this project and its alternatives side by side, in one run."""
