"""The command line: one thin command for each part."""

import os

# The matrices are small and several processes share a machine: threads for linear algebra would only wait for each
# other. The variable must be set before numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
