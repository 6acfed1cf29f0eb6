//! Contract suites for the ports, and the fakes that pass them.
