"""The connections of this process, and what they listen to."""
