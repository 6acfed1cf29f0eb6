//! The HTTP API on hyper: routes, error mapping, serving.
