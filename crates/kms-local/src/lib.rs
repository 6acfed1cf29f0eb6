//! A software KMS whose key material is sealed under the root key.
