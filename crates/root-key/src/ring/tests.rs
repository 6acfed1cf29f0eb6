use super::RootKeyRing;
use crate::{KeyCheckError, SoftwareRootKey, key_check};
use proptest::prelude::*;
use std::sync::Arc;
use strongroom_crypto::OsEntropy;
use strongroom_domain::port::{RootKey, RootKeyError, RootKeys};
use strongroom_domain::root_key::{InstanceKeyPurpose, RootKeyId, SealedInstanceKey, instance_key_aad};
use strongroom_domain::value::SecretBytes;

fn root(byte: u8) -> SoftwareRootKey {
    SoftwareRootKey::from_bytes(&[byte; 32], Arc::new(OsEntropy)).expect("derives")
}

fn id(byte: u8) -> RootKeyId {
    root(byte).id()
}

fn ring(bytes: &[u8]) -> RootKeyRing {
    RootKeyRing::new(bytes.iter().map(|byte| root(*byte))).expect("keys")
}

fn plain() -> SecretBytes {
    SecretBytes::copy_of(b"plaintext")
}

#[test]
fn there_is_no_ring_without_a_key() {
    assert!(RootKeyRing::new([]).is_none());
    let ring = RootKeyRing::of(root(1));
    assert_eq!((ring.ids(), ring.current(), ring.newest()), (vec![id(1)], id(1), id(1)));
}

#[test]
fn the_store_says_which_key_seals() {
    let ring = ring(&[1, 2, 3]);
    assert_eq!((ring.current(), ring.newest()), (id(3), id(3)));
    let check = key_check(&root(2)).expect("seals");
    ring.adopt(&check).expect("held");
    assert_eq!((ring.id(), ring.newest()), (id(2), id(3)));
    let sealed = ring.seal(b"aad", &plain()).expect("seals");
    assert!(root(2).open(b"aad", &sealed).is_ok());

    let foreign = key_check(&root(4)).expect("seals");
    assert!(matches!(ring.adopt(&foreign), Err(KeyCheckError::OtherRootKey { .. })));
    let mut damaged = key_check(&root(1)).expect("seals");
    damaged.sealed[20] ^= 1;
    assert!(matches!(ring.adopt(&damaged), Err(KeyCheckError::Damaged)));
    // The check of one key under the name of another that the ring holds too.
    let renamed = strongroom_domain::root_key::KeyCheck { root_key: id(1), ..key_check(&root(3)).expect("seals") };
    assert!(matches!(ring.adopt(&renamed), Err(KeyCheckError::Damaged)));
    assert_eq!(ring.id(), id(2), "a refusal changes nothing");
    assert!(!ring.switch_to(id(4)));
    assert_eq!(ring.id(), id(2));
}

#[test]
fn a_check_is_made_for_any_key_of_the_ring() {
    let ring = ring(&[1, 2]);
    for byte in [1, 2] {
        let check = ring.check_of(id(byte)).expect("held");
        RootKeyRing::of(root(byte)).adopt(&check).expect("its own");
    }
    assert!(matches!(ring.check_of(id(3)), Err(RootKeyError::Unavailable(_))));
}

#[test]
fn keys_of_a_file_that_was_read_anew_are_taken_on() {
    let ring = ring(&[1]);
    let under_1 = ring.seal(b"aad", &plain()).expect("seals");
    ring.take_on([root(1), root(2)]);
    assert_eq!((ring.current(), ring.newest(), ring.ids()), (id(1), id(2), vec![id(1), id(2)]));
    assert!(ring.switch_to(id(2)));
    ring.take_on([root(2)]);
    assert_eq!((ring.current(), ring.newest(), ring.ids()), (id(2), id(2), vec![id(1), id(2)]));
    assert!(ring.open(b"aad", &under_1).is_ok(), "what the file lacks opens on");
    // A file from before leads nowhere, also not when it was read before the key that seals changed.
    for file in [vec![root(1)], vec![]] {
        ring.take_on(file);
        assert_eq!((ring.current(), ring.newest()), (id(2), id(2)));
    }
    assert!(ring.switch_to(id(1)));
    ring.take_on([root(2)]);
    assert_eq!((ring.current(), ring.newest()), (id(1), id(1)));
    assert!(ring.switch_to(id(2)));
    assert_eq!((ring.current(), ring.newest()), (id(2), id(2)));
    ring.take_on([root(2), root(1)]);
    assert_eq!((ring.current(), ring.newest()), (id(2), id(1)), "whoever writes it so means it");
}

#[test]
fn a_node_that_was_not_given_the_stores_key_seals_nothing_until_it_is() {
    let ring = ring(&[1]);
    let sealed = ring.seal(b"aad", &plain()).expect("seals");
    assert!(!ring.switch_to(id(2)));
    assert!(matches!(ring.seal(b"aad", &plain()), Err(RootKeyError::Unavailable(_))));
    assert!(ring.open(b"aad", &sealed).is_ok(), "what was sealed opens on");
    ring.take_on([root(1), root(2)]);
    assert!(ring.seal(b"aad", &plain()).is_err(), "not before it went over");
    assert!(ring.switch_to(id(2)));
    let sealed = ring.seal(b"aad", &plain()).expect("seals");
    assert!(root(2).open(b"aad", &sealed).is_ok());
}

#[test]
fn instance_keys_move_to_the_key_that_seals() {
    let ring = ring(&[1, 2]);
    let (purpose, version) = (InstanceKeyPurpose::TokenSigning, 7);
    let aad = instance_key_aad(purpose, version);
    let sealed = root(1).seal(&aad, &plain()).expect("seals");
    let key = SealedInstanceKey { purpose, version, sealed, public: Some([5; 32]) };
    let moved = RootKeys::reseal(&ring, &key).expect("opens").expect("under the other");
    assert_eq!((moved.purpose, moved.version, moved.public), (purpose, version, Some([5; 32])));
    assert_eq!(root(2).open(&aad, &moved.sealed).expect("opens").expose(), b"plaintext");
    assert_eq!(RootKeys::reseal(&ring, &moved).expect("opens"), None);
    let of_another_version = SealedInstanceKey { version: 8, ..key };
    assert!(matches!(RootKeys::reseal(&ring, &of_another_version), Err(RootKeyError::NotAuthentic)));
}

proptest! {
    /// Whatever key sealed it, every ring that holds it opens and moves it, and no other does.
    #[test]
    fn opens_and_moves_what_any_of_its_keys_sealed(
        held in prop::collection::btree_set(1..6_u8, 1..5),
        by in 1..6_u8,
        current in any::<prop::sample::Index>(),
        plain: Vec<u8>,
        aad in prop::collection::vec(any::<u8>(), 1..20),
    ) {
        let held: Vec<_> = held.into_iter().collect();
        let current = held[current.index(held.len())];
        let ring = ring(&held);
        prop_assert!(ring.switch_to(id(current)));
        let sealed = root(by).seal(&aad, &SecretBytes::copy_of(&plain)).expect("seals");
        let opened = ring.open(&aad, &sealed);
        let moved = RootKey::reseal(&ring, &aad, &sealed);
        if !held.contains(&by) {
            prop_assert!(matches!(opened, Err(RootKeyError::NotAuthentic)));
            prop_assert!(matches!(moved, Err(RootKeyError::NotAuthentic)));
            return Ok(());
        }
        let opened = opened.expect("opens");
        prop_assert_eq!(opened.expose(), &plain[..]);
        let moved = moved.expect("opens");
        prop_assert_eq!(moved.is_none(), by == current);
        if let Some(moved) = moved {
            let opened = root(current).open(&aad, &moved).expect("under the one that seals");
            prop_assert_eq!(opened.expose(), &plain[..]);
            prop_assert!(RootKey::reseal(&ring, &aad, &moved).expect("opens").is_none());
        }
        prop_assert!(matches!(ring.open(&aad[1..], &sealed), Err(RootKeyError::NotAuthentic)));
    }
}
