"""RNNLM of d2l, as a port."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[3]))  # for `audits`, in whatever process reads this file

from audits.d2l.cases import port_of

globals().update(port_of("RNNLM"))
