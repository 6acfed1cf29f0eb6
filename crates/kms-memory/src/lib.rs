//! A KMS in memory with real AES-GCM, for tests, harnesses and embedding without persistence.
