"""How well this model works on this machine, in five minutes, as a report that can be pasted."""
