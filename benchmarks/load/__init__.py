"""The load: raw sockets on uvloop in a process of its own, cheap enough not to be the limit."""
