"""REST endpoints: HTTP in, one service call, HTTP out."""
