"""Routes of the public API and of the part of the configuration API that real clients call."""
