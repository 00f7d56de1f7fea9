"""The terminal screens of agents and supervisors. They speak to the server through `cti.client` only."""
