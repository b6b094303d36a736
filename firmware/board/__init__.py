"""The machine under the box: what it tells of itself."""
