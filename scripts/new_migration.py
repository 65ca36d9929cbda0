"""Write a migration with what the models have and the migrations lack: `make migration M="..."`.

Read it before you commit it: CHECK constraints and data are for you to add. `make check` compares.
"""

import sys

from jobboard.infra import revisions
from jobboard.infra.embedded import temporary

with temporary(needed=["database_url"]) as urls:
    revisions.revision(urls.database_url, sys.argv[1])
