"""The socket protocol as an AsyncAPI 3.0 document."""
