"""Passwords, tokens, the key that signs them, and rate limits."""
