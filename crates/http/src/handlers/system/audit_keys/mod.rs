pub(crate) mod list;
pub(crate) mod rotate;

use strongroom::audit::{AuditKeyState, AuditKeyView};
use strongroom_api::audit::{AuditKey, Base64};

fn answer(view: &AuditKeyView) -> AuditKey {
    let state = match view.state {
        AuditKeyState::Pending => "pending",
        AuditKeyState::Signing => "signing",
        AuditKeyState::Retired => "retired",
        AuditKeyState::Foreign => "foreign",
    };
    AuditKey { version: view.key.version, public_key: Base64(view.key.public.to_vec()), state: state.to_owned() }
}
