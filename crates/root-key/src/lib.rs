//! Root key providers, and the instance keys sealed under the root key.
