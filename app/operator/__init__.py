"""The commands of `python run.py`: what an operator does to an installation."""
