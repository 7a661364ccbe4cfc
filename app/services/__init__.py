"""The chat itself: plain functions (db, who, what) that return a model or raise an error."""
