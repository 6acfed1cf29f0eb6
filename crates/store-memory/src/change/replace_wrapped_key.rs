use crate::journal::Journal;
use crate::state::{Ciphertext, State, VersionBody};
use strongroom_domain::id::SecretId;
use strongroom_domain::secret::WrappedKey;
use strongroom_domain::version::VersionNumber;
use zeroize::Zeroizing;

fn ciphertext(state: &mut State, (id, number): (SecretId, VersionNumber)) -> Option<&mut Ciphertext> {
    match &mut state.secrets.get_mut(&id)?.versions.get_mut(&number)?.body {
        VersionBody::Active(ciphertext) => Some(ciphertext),
        VersionBody::Destroyed(_) => None,
    }
}

pub(super) fn apply(
    state: &mut State,
    of: (SecretId, VersionNumber),
    before: &WrappedKey,
    after: WrappedKey,
    journal: &mut Journal,
) {
    let Some(found) = ciphertext(state, of) else { return };
    if found.key_version != before.key_version || found.wrapped[..] != before.bytes[..] {
        return;
    }
    let version = core::mem::replace(&mut found.key_version, after.key_version);
    let wrapped = core::mem::replace(&mut found.wrapped, Zeroizing::new(after.bytes));
    journal.undo(move |state| {
        if let Some(found) = ciphertext(state, of) {
            (found.key_version, found.wrapped) = (version, wrapped);
        }
    });
}
