//! Cases for [`TokenReader`](strongroom_domain::port::TokenReader).

use super::Store;
use crate::{build, units};
use strongroom_domain::unit::Change;

/// Only the whole digest finds a token.
pub async fn a_token_is_found_by_its_whole_digest(store: Store) {
    let organisation = build::organisation("o");
    let tokens = [build::token(organisation.id), build::token(organisation.id)];
    let mut changes = vec![Change::InsertOrganisation(organisation)];
    changes.extend(tokens.iter().cloned().map(Change::InsertToken));
    store.commit(units::of(changes)).await;
    for token in tokens {
        for index in [0, 31] {
            let mut other = token.digest;
            other[index] ^= 1;
            assert_eq!(store.tokens.by_digest(&other).await.expect("readable"), None);
        }
        assert_eq!(store.tokens.by_digest(&token.digest).await.expect("readable"), Some(token));
    }
}
