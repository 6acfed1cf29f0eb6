//! Ciphers, keyed digests, signatures and randomness behind the ports of the domain.
