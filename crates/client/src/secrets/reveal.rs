use super::Secrets;
use crate::{Answer, Call, Error, Revealed};
use reqwest::Method;
use strongroom_api::RevealValue;

impl Secrets {
    /// Reveals a value: the one of this version, or the current one.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such secret (`secret_not_found`) or version (`version_not_found`,
    /// `version_destroyed`, `no_active_version`); [denied](Error::is_denied) by the permission, the access policy (`access_policy_denied`)
    /// or the key (`kms_key_forbidden`); `kms_key_unusable` or `key_pending_deletion` (400) when the key is out of use;
    /// [unavailable](Error::is_unavailable) while the KMS is.
    pub async fn reveal(&self, path: &str, version: Option<u64>) -> Result<Revealed, Error> {
        read(&self.client.send(self.revealing(path, version)).await?)
    }

    /// Reveals the current value unless it is the one of this `etag`, which an earlier reveal gave: then `None`, without an
    /// operation of the KMS.
    ///
    /// # Errors
    /// As [`reveal`](Self::reveal), also when the value is the one that is known.
    pub async fn reveal_unless(&self, path: &str, etag: &str) -> Result<Option<Revealed>, Error> {
        let call = self.revealing(path, None).header("if-none-match", &format!("\"{etag}\""));
        let answer = self.client.send(call).await?;
        if answer.status() == 304 { Ok(None) } else { read(&answer).map(Some) }
    }

    fn revealing(&self, path: &str, version: Option<u64>) -> Call {
        let call = self.at(Method::POST, path).segment("value").repeatable();
        match version {
            Some(_) => call.json(&RevealValue { path: None, version }),
            None => call,
        }
    }
}

fn read(answer: &Answer) -> Result<Revealed, Error> {
    let etag = answer.header("etag").map(|etag| etag.trim_matches('"').to_owned());
    Revealed::read(answer.json()?, etag)
}
