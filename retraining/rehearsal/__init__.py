"""The loop on labeled history: people are simulated, everything else is the real code."""
