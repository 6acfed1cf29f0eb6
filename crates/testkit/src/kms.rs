//! What every [`Kms`](strongroom_domain::port::Kms) must do, case by case.

mod ciphertexts;
mod elsewhere;
mod export;
mod fixture;
mod handles;
mod import;
mod lifecycle;
mod macs;
mod public_keys;
mod signatures;
mod test_key;
mod unsupported;

pub use ciphertexts::{
    a_changed_ciphertext_is_not_authentic, a_ciphertext_of_another_key_is_not_authentic,
    a_ciphertext_of_another_version_is_not_authentic, another_aad_is_not_authentic,
    ciphertexts_do_not_show_the_plaintext, encrypting_twice_differs, rsa_binds_no_aad, what_was_encrypted_decrypts,
};
pub use export::{
    a_key_that_may_not_be_exported_is_not, each_version_is_exported_for_itself, exported_material_is_the_key,
    imported_material_comes_out_again,
};
pub use fixture::Fixture;
use fixture::Keys;
pub use handles::{
    a_damaged_handle_is_bad, a_handle_of_another_export_permission_is_bad, a_handle_of_another_key_is_bad,
    a_handle_of_another_scope_is_bad, a_handle_of_another_type_is_bad, a_handle_of_another_version_is_bad,
};
pub use import::{
    an_imported_key_does_what_its_type_does, an_imported_key_has_its_public_key, material_imported_twice_is_the_same,
    material_of_another_length_or_type_is_bad, material_of_mixed_parts_is_bad, rsa_material_with_a_bad_exponent_is_bad,
    what_was_encrypted_elsewhere_decrypts, what_was_signed_elsewhere_verifies,
};
pub use lifecycle::{
    a_kms_at_work_can_be_used, a_new_version_shares_no_material, a_resealed_handle_finds_the_same_material,
    callers_do_not_disturb_each_other, erased_material_is_gone_from_the_kms, erasing_again_succeeds,
    erasing_one_key_leaves_the_others, erasing_one_version_leaves_the_others, handles_of_earlier_versions_stay_good,
    nothing_is_left_of_a_key_whose_versions_are_erased, rotating_again_gives_a_handle_as_good,
    the_handle_finds_the_material_again, two_keys_never_share_material,
};
pub use macs::{
    a_changed_hmac_is_none, a_message_has_one_hmac, an_hmac_of_another_key_is_none,
    an_hmac_of_another_version_or_message_is_none,
};
pub use public_keys::each_version_has_its_public_key;
pub use signatures::{
    a_changed_signature_is_none, a_message_and_its_digest_mean_the_same, a_signature_of_another_key_is_none,
    a_signature_of_another_version_is_none, a_signature_over_something_else_is_none, ed25519_hashes_by_itself,
    signatures_have_the_form_of_their_type, what_was_signed_verifies,
};
pub use unsupported::{what_a_type_does_not_do_is_unsupported, what_the_kms_does_not_do_is_unsupported};

/// Makes one named test of each case of the contract of [`Kms`](strongroom_domain::port::Kms), in a module `kms`.
///
/// Takes an async expression that yields a [`Fixture`], evaluated once per case: the KMS, and what it can do.
///
/// ```
/// // tests/contract.rs of a KMS, here of the one in memory
/// use std::sync::Arc;
/// use strongroom_domain::port::Kms;
/// use strongroom_kms_memory::MemoryKms;
/// use strongroom_testkit::kms::Fixture;
/// use strongroom_testkit::{SeededEntropy, kms_contract};
///
/// struct Mine(Arc<dyn Kms>);
///
/// impl Fixture for Mine {
///     fn kms(&self) -> Arc<dyn Kms> {
///         Arc::clone(&self.0)
///     }
///
///     fn keeps_material(&self) -> bool {
///         true
///     }
/// }
///
/// fn fixture() -> Mine {
///     Mine(Arc::new(MemoryKms::new(Arc::new(SeededEntropy::new(1)))))
/// }
///
/// kms_contract!(async { fixture() });
/// # // A doctest has no `#[test]`: one of the cases, as the macro runs it.
/// # strongroom_testkit::contract::run(async { strongroom_testkit::kms::erasing_again_succeeds(&fixture()).await });
/// ```
#[macro_export]
macro_rules! kms_contract {
    ($fixture:expr) => {
        mod kms {
            use super::*;

            $crate::kms_contract! { @cases $fixture;
                the_handle_finds_the_material_again
                two_keys_never_share_material
                handles_of_earlier_versions_stay_good
                a_new_version_shares_no_material
                rotating_again_gives_a_handle_as_good
                a_resealed_handle_finds_the_same_material
                erased_material_is_gone_from_the_kms
                erasing_again_succeeds
                erasing_one_key_leaves_the_others
                erasing_one_version_leaves_the_others
                nothing_is_left_of_a_key_whose_versions_are_erased
                a_kms_at_work_can_be_used
                callers_do_not_disturb_each_other
                an_imported_key_does_what_its_type_does
                material_imported_twice_is_the_same
                what_was_signed_elsewhere_verifies
                what_was_encrypted_elsewhere_decrypts
                an_imported_key_has_its_public_key
                material_of_another_length_or_type_is_bad
                rsa_material_with_a_bad_exponent_is_bad
                material_of_mixed_parts_is_bad
                exported_material_is_the_key
                imported_material_comes_out_again
                each_version_is_exported_for_itself
                a_key_that_may_not_be_exported_is_not
                encrypting_twice_differs
                ciphertexts_do_not_show_the_plaintext
                what_was_encrypted_decrypts
                another_aad_is_not_authentic
                rsa_binds_no_aad
                a_changed_ciphertext_is_not_authentic
                a_ciphertext_of_another_key_is_not_authentic
                a_ciphertext_of_another_version_is_not_authentic
                what_was_signed_verifies
                a_message_and_its_digest_mean_the_same
                ed25519_hashes_by_itself
                signatures_have_the_form_of_their_type
                a_changed_signature_is_none
                a_signature_of_another_key_is_none
                a_signature_of_another_version_is_none
                a_signature_over_something_else_is_none
                a_message_has_one_hmac
                a_changed_hmac_is_none
                an_hmac_of_another_key_is_none
                an_hmac_of_another_version_or_message_is_none
                each_version_has_its_public_key
                a_handle_of_another_key_is_bad
                a_handle_of_another_type_is_bad
                a_handle_of_another_scope_is_bad
                a_handle_of_another_export_permission_is_bad
                a_handle_of_another_version_is_bad
                a_damaged_handle_is_bad
                what_a_type_does_not_do_is_unsupported
                what_the_kms_does_not_do_is_unsupported
            }
        }
    };
    (@cases $fixture:expr; $($case:ident)*) => {$(
        #[test]
        fn $case() {
            $crate::contract::run(async { $crate::kms::$case(&$fixture.await).await });
        }
    )*};
}

#[cfg(test)]
mod tests {
    /// A case that the macro forgets would never run.
    #[test]
    fn the_macro_names_every_case() {
        let listed = include_str!("kms.rs").split("macro_rules!").nth(1).unwrap_or_default();
        let files = [
            include_str!("kms/lifecycle.rs"),
            include_str!("kms/import.rs"),
            include_str!("kms/export.rs"),
            include_str!("kms/ciphertexts.rs"),
            include_str!("kms/signatures.rs"),
            include_str!("kms/macs.rs"),
            include_str!("kms/public_keys.rs"),
            include_str!("kms/handles.rs"),
            include_str!("kms/unsupported.rs"),
        ];
        let mut count = 0;
        for rest in files.iter().flat_map(|file| file.split("\npub async fn ").skip(1)) {
            let name = rest.split('(').next().unwrap_or_default();
            assert!(listed.split_whitespace().any(|word| word == name), "{name}");
            count += 1;
        }
        assert_eq!(count, 54);
    }
}
