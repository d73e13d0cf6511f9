"""The core over files: a log in, the alerts and snapshots that the stream would have sent out.

No broker and no wall clock. What judges the result belongs in evaluation/.
"""
