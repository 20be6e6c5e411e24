"""Methods scored on simulated patients whose true probabilities are known."""
