"""The outermost layer: event catalogue, bus, API, desks, command line, composition root."""
