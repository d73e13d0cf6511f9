"""The worker as a process: the Faust app, checkpoints, the changelog, and the reader of directives.

It wires threads, topics and partitions. What an event means is decided in the core.
"""
