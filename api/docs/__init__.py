"""The contract to read in a browser, served from this machine alone."""
