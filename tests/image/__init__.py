"""The image as users get it, booted in QEMU, in a network of its own that nothing leaves."""
