"""The command line: one thin command for each part."""

import os

# Our matrices are small and a machine is shared by several processes: threads of linear algebra would only wait for
# each other. It must be said before numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
