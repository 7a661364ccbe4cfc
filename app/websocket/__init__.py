"""Sockets: frames in, one service call, events out."""
