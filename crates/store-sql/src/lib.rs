//! The durable store: SQLite through one group-commit lane.
