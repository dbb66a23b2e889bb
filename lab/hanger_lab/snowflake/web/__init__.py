"""The parts of the account's page, as HTML and SVG that need nothing from elsewhere."""
