"""What goes wrong between us and a model, on purpose: the same faults on every adapter."""
