"""Settings: frozen dataclasses with defaults, meanings and ranges; YAML files."""
