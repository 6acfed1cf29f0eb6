//! The Strongroom engine: the use cases of a secrets manager, embeddable in any async runtime.
