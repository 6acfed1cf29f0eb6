use super::{named, user};
use crate::failure::Failure;
use strongroom::iam::access_credentials::CreatedAccessCredential;
use strongroom::iam::service_accounts::ServiceAccountView;
use strongroom_api::{AccessCredential, Encoded, RoleBinding, ServiceAccount};
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

pub(crate) fn service_account(view: &ServiceAccountView) -> ServiceAccount {
    let bindings = view.bindings.iter().map(|(binding, role)| RoleBinding {
        named: named(binding.id, &binding.named),
        organisation_role: named(role.id, &role.named),
        scopes: binding.projects.clone(),
    });
    ServiceAccount {
        named: named(view.account.id, &view.account.named),
        created_by: view.created_by.as_ref().map(user),
        role_bindings: bindings.collect(),
    }
}

pub(crate) fn access_credential(credential: &strongroom_domain::directory::AccessCredential) -> AccessCredential {
    AccessCredential {
        identity: credential.id.to_string(),
        name: credential.name.clone(),
        description: credential.description.clone(),
        created_at: credential.created_at.to_rfc3339(),
        expires_at: credential.expires.as_ref().map(|expiry| expiry.text.clone()),
        access_key: credential.access_key.clone(),
        scopes: credential.scopes.as_slice().to_vec(),
    }
}

pub(crate) fn created_access_credential(
    created: &CreatedAccessCredential,
) -> Result<strongroom_api::CreatedAccessCredential, Failure> {
    Ok(strongroom_api::CreatedAccessCredential {
        identity: created.credential.id.to_string(),
        access_key: created.credential.access_key.clone(),
        access_secret: shown(&created.secret)?,
        scopes: created.credential.scopes.as_slice().to_vec(),
    })
}

/// A token or secret that is made of plain characters, to be shown once.
pub(crate) fn shown(secret: &SecretBytes) -> Result<Encoded, Failure> {
    let text = core::str::from_utf8(secret.expose()).map_err(|_| Failure::internal())?;
    Ok(Encoded::new(Zeroizing::new(text.to_owned())))
}
