"""The load: raw sockets on uvloop in their own process, cheap enough not to be the bottleneck."""
