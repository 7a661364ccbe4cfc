"""uvicorn as this project runs it, from the listening socket to raw sockets that the application writes itself."""
