"""Pages of leads and engineers, home, and the demo's switches."""
