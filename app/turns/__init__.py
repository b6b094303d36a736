"""Who speaks when: pure deciders. Time is an argument, nothing here waits, reads a clock or touches audio."""
