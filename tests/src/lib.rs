//! Tests over the whole: architecture, the real binary over a real socket, benchmarks.
