"""`just setup`: makes everything else work on a fresh Debian 12. Standard library only, since nothing is there yet."""
