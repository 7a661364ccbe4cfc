"""`python run.py doctor`: looks for what would stop or harm an installation, and changes nothing."""
