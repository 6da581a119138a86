"""How fast weights of senses come onto a device and leave it, beside the plain copy of as much."""
