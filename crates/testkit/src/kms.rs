//! What every [`Kms`] must do, case by case.

use core::fmt::Debug;
use strongroom_domain::id::{KeyId, OrganisationId, RegionId};
use strongroom_domain::kms::{KeyHandle, KeySpec, KeyType, KeyVersion, KeyVersionNumber};
use strongroom_domain::port::{Kms, KmsError, KmsErrorKind};
use strongroom_domain::scope::Scope;
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;
use uuid::Uuid;

mod ciphertexts;
mod handles;
mod lifecycle;

pub use ciphertexts::{
    a_changed_ciphertext_is_not_authentic, a_ciphertext_of_another_key_is_not_authentic,
    a_ciphertext_of_another_version_is_not_authentic, another_aad_is_not_authentic,
    ciphertexts_do_not_show_the_plaintext, encrypting_twice_differs, what_was_encrypted_decrypts,
};
pub use handles::{
    a_damaged_handle_is_bad, a_handle_of_another_export_permission_is_bad, a_handle_of_another_key_is_bad,
    a_handle_of_another_scope_is_bad, a_handle_of_another_type_is_bad, a_handle_of_another_version_is_bad,
};
pub use lifecycle::{
    a_kms_at_work_can_be_used, a_new_version_shares_no_material, callers_do_not_disturb_each_other,
    erased_material_is_gone_from_the_kms, erasing_again_succeeds, erasing_one_version_leaves_the_others,
    handles_of_earlier_versions_stay_good, the_handle_finds_the_material_again, two_keys_never_share_material,
};

/// Makes one named test of each case of the contract of [`Kms`], in a module `kms`.
///
/// Takes an async expression that yields an `Arc<dyn Kms>`, evaluated once per case. `keeps_material` says whether the KMS itself keeps
/// key material (`true`), or the handle holds it (`false`): that decides what erasing means.
///
/// ```ignore
/// // tests/contract.rs of a KMS
/// strongroom_testkit::kms_contract!(async { Arc::new(MyKms::new()) as Arc<dyn Kms> }, keeps_material: false);
/// ```
#[macro_export]
macro_rules! kms_contract {
    ($kms:expr, keeps_material: $keeps_material:literal) => {
        mod kms {
            use super::*;

            $crate::kms_contract! { @cases $kms;
                the_handle_finds_the_material_again
                two_keys_never_share_material
                handles_of_earlier_versions_stay_good
                a_new_version_shares_no_material
                encrypting_twice_differs
                ciphertexts_do_not_show_the_plaintext
                what_was_encrypted_decrypts
                another_aad_is_not_authentic
                a_changed_ciphertext_is_not_authentic
                a_ciphertext_of_another_key_is_not_authentic
                a_ciphertext_of_another_version_is_not_authentic
                a_handle_of_another_key_is_bad
                a_handle_of_another_type_is_bad
                a_handle_of_another_scope_is_bad
                a_handle_of_another_export_permission_is_bad
                a_handle_of_another_version_is_bad
                a_damaged_handle_is_bad
                erasing_again_succeeds
                erasing_one_version_leaves_the_others
                a_kms_at_work_can_be_used
                callers_do_not_disturb_each_other
            }

            #[test]
            fn erased_material_is_gone_from_the_kms() {
                $crate::contract::run(async {
                    $crate::kms::erased_material_is_gone_from_the_kms($kms.await, $keeps_material).await;
                });
            }
        }
    };
    (@cases $kms:expr; $($case:ident)*) => {$(
        #[test]
        fn $case() {
            $crate::contract::run(async { $crate::kms::$case($kms.await).await });
        }
    )*};
}

const AAD: &[u8] = b"additional data";
const PLAIN: &[u8] = b"the plaintext of the contract";

/// A key made in the KMS under test.
struct TestKey {
    spec: KeySpec,
    versions: Vec<KeyVersion>,
}

impl TestKey {
    async fn create(kms: &dyn Kms, id: u128, key_type: KeyType) -> Self {
        let scope = Scope {
            organisation: OrganisationId::new(Uuid::from_u128(1)),
            region: RegionId::new(Uuid::from_u128(2)),
            project: None,
        };
        let spec = KeySpec { id: KeyId::new(Uuid::from_u128(id)), scope, key_type, export_allowed: false };
        let handle = ok(kms.create(&spec).await);
        Self { spec, versions: vec![version(KeyVersionNumber::FIRST, handle)] }
    }

    async fn rotate(&mut self, kms: &dyn Kms) {
        let next = self.latest().number.next();
        let handle = ok(kms.rotate(&self.spec, self.latest(), next).await);
        self.versions.push(version(next, handle));
    }

    fn latest(&self) -> &KeyVersion {
        &self.versions[self.versions.len() - 1]
    }

    async fn encrypt(&self, kms: &dyn Kms) -> Vec<u8> {
        ok(kms.encrypt(&self.spec, self.latest(), AAD, &plain()).await)
    }
}

const fn version(number: KeyVersionNumber, handle: KeyHandle) -> KeyVersion {
    KeyVersion { number, handle, created_at: Timestamp::EPOCH }
}

fn plain() -> SecretBytes {
    SecretBytes::copy_of(PLAIN)
}

#[track_caller]
fn ok<T>(result: Result<T, KmsError>) -> T {
    result.unwrap_or_else(|error| panic!("{:?}: {error}", error.kind()))
}

#[track_caller]
fn assert_fails<T>(result: Result<T, KmsError>, expected: KmsErrorKind, what: impl Debug) {
    let kind = result.err().map(|error| *error.kind());
    assert_eq!(kind, Some(expected), "{what:?}");
}

/// Encrypting and decrypting under this spec and version both answer `BadHandle`.
async fn assert_bad_handle(kms: &dyn Kms, spec: &KeySpec, version: &KeyVersion, ciphertext: &[u8], what: &str) {
    assert_fails(kms.encrypt(spec, version, AAD, &plain()).await, KmsErrorKind::BadHandle, what);
    assert_fails(kms.decrypt(spec, version, AAD, ciphertext).await, KmsErrorKind::BadHandle, what);
}

#[cfg(test)]
mod tests {
    /// A case that the macro forgets would never run.
    #[test]
    fn the_macro_names_every_case() {
        let listed = include_str!("kms.rs").split("macro_rules!").nth(1).unwrap_or_default();
        let files =
            [include_str!("kms/lifecycle.rs"), include_str!("kms/ciphertexts.rs"), include_str!("kms/handles.rs")];
        let mut count = 0;
        for rest in files.iter().flat_map(|file| file.split("\npub async fn ").skip(1)) {
            let name = rest.split('(').next().unwrap_or_default();
            assert!(listed.split_whitespace().any(|word| word.split('(').next() == Some(name)), "{name}");
            count += 1;
        }
        assert_eq!(count, 22);
    }
}
