"""The loop on labelled history: people are simulated, everything else is the real code."""
