"""The protocol of the socket as an AsyncAPI 3.0 document."""
