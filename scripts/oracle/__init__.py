"""Golden data for the Swift re-implementation of HTDemucs, made by the PyTorch oracle."""
