"""Systems: networks and the phases that train them, one a file."""
