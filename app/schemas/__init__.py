"""The wire format: what clients send and what they receive."""
