"""How well a voice is told from noise, and a person from the loudspeaker."""
