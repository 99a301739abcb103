"""One file for each endpoint: what it declares, and how it publishes and finds."""
