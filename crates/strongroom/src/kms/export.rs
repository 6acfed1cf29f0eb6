use super::GrantedKey;
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::Session;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::kms::{Key, KeyVersionNumber};
use strongroom_domain::value::SecretBytes;

/// Key material that was taken out. It is recorded already.
pub struct Exported {
    /// Plain bytes for symmetric and HMAC types, a PKCS#8 document (RFC 5958) in DER for the others.
    pub material: SecretBytes,
    /// The key version whose it is.
    pub version: KeyVersionNumber,
}

/// A caller who may take the material of this key out.
pub struct Export<'a>(GrantedKey<'a>);

impl Engine {
    /// Checks that the caller may take the material of the key of this identity or slug out.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`], also when no rule allows it.
    pub async fn export<'a>(&'a self, session: &'a Session, name: &str) -> Result<Export<'a>, Error> {
        let any_of = [Permission::Export, Permission::Update];
        self.grant_key(session, Action::KmsExport, &any_of, name).await.map(Export)
    }
}

/// Whether the key was created to be exported.
pub(crate) fn check_export(key: &Key) -> Result<(), Error> {
    if key.spec.export_allowed {
        return Ok(());
    }
    Err(Error::new(
        Code::ExportNotAllowed,
        "The KMS key was created without `exportAllowed`, so its material never leaves; that can't be changed.",
    ))
}

impl Export<'_> {
    /// The material of the newest version of the key, or the one given, when the key was created to be exported. It is given only when
    /// the record of it is durable.
    ///
    /// # Errors
    /// [`Code::ExportNotAllowed`], [`Code::KeyVersionNotFound`], [`Code::KeyVersionRetired`], [`Code::KeyUnusable`],
    /// [`Code::KeyPendingDeletion`], and those of KMS and store.
    pub async fn run(self, version: Option<KeyVersionNumber>) -> Result<Exported, Error> {
        let outcome = self.attempt(version).await;
        self.0.recorded(outcome).await
    }

    async fn attempt(&self, version: Option<KeyVersionNumber>) -> Result<Exported, Error> {
        let GrantedKey { engine, session, key, .. } = &self.0;
        check_export(key)?;
        let version = self.0.version(version)?;
        key.check_usable()?;
        let material = engine.kms(&session.region)?.export(&key.spec, version).await?;
        self.0.commit_success(version.number, Some(material.len() as u64)).await?;
        Ok(Exported { material, version: version.number })
    }
}
