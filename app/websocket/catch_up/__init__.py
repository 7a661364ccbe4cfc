"""Starting to listen to a room: first everything that was missed, then everything that follows."""
