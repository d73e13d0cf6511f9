"""From topics to people: the warehouse loader, its tables, and alert delivery."""
