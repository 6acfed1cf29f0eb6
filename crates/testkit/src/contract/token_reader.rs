//! Cases for [`TokenReader`](strongroom_domain::port::TokenReader).

use super::Store;
use crate::{build, units};
use strongroom_domain::id::{CredentialId, UserId};
use strongroom_domain::principal::{Token, TokenHolder};
use strongroom_domain::unit::Change;
use uuid::Uuid;

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

/// A user's tokens come in the order of their identities, of every organisation; no other user's, and not the operator's.
pub async fn the_tokens_of_a_user_are_ordered_by_identity(store: Store) {
    let organisation = store.organisation("o").await;
    let user = UserId::new(build::uuid());
    let tokens = [0x80, 0x00, 0xff, 0x7f].map(|first: u8| {
        let mut id = build::uuid().into_bytes();
        id[0] = first;
        let id = CredentialId::new(Uuid::from_bytes(id));
        let organisation = (first != 0xff).then_some(organisation.id);
        Token { id, holder: TokenHolder::User(user), organisation, ..build::token(build::scope().organisation) }
    });
    let other = build::token(organisation.id);
    let operator = Token { holder: TokenHolder::Operator, organisation: None, ..build::token(organisation.id) };
    let all = tokens.iter().chain([&other, &operator]).cloned();
    store.commit(units::of(all.map(Change::InsertToken).collect())).await;
    let of_user = async |user| store.tokens.of_user(user).await.expect("readable");
    assert_eq!(of_user(user).await, [1, 3, 0, 2].map(|index: usize| tokens[index].clone()));
    let TokenHolder::User(stranger) = other.holder else { panic!("a user's token") };
    assert_eq!(of_user(stranger).await, [other]);
    assert_eq!(of_user(UserId::new(build::uuid())).await, []);
}
