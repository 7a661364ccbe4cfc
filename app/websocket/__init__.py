"""Frames in, one service call, events out."""
