//! Authentication of callers: opaque tokens by keyed digest.
