"""What another product could use as it is: settings, database, security, sockets. No chat word in here."""
