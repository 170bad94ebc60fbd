"""Parameter sets of a SignalStrategy through one numba kernel, with Backtrader's own fills.

`reason_not_compilable(spec, bars)`, `evaluate(spec, frames, sets, jobs=, chunk_bytes=)`,
`fills_of(spec, frames, params)` and `confirm(spec, frames, params_list)`. Importing it imports no
numba.
"""
