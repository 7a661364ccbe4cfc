"""Programs for those who develop the server. Nothing here is part of it."""
