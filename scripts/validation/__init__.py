"""Validation over diverse pieces: demucs-cli against PyTorch, and its precisions against each other."""
