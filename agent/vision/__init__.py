"""What a picture shows, said by a model on a server of its own."""
