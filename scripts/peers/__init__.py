"""The rivals of demucs-cli, and how they are measured."""
