"""RNNLM (of a GRU) of d2l, as a port: `crossfw verify` takes this file alone."""

from crossfw.audit.d2l_cases import port_of

globals().update(port_of('RNNLM (of a GRU)', mended=False))
