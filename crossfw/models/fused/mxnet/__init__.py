"""In MXNet."""
