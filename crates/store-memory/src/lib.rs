//! A store in memory with real atomic units and conflicts.
