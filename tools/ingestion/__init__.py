"""The parts of ingestion; `tools.ingest` puts them together."""
