"""State machines: the assistant and the parts that graphs share."""
