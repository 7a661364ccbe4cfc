"""What another product could use unchanged: settings, database, security, sockets. Nothing here is about chat."""
