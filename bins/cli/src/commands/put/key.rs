//! Which KMS key a new secret gets.

use crate::context::Context;
use crate::failure::{Exit, Failure};
use strongroom_api::KmsKey;
use strongroom_client::{Client, Filter};

/// What most secrets want.
const PREFERRED: &str = "aes256-gcm96";

/// What secrets can be under.
const FITTING: [&str; 3] = [PREFERRED, "aes128-gcm96", "chacha20-poly1305"];

/// The identity of the key that is named, by flag, environment or profile; else of the only one that fits.
pub(crate) async fn choose(context: &Context, flag: Option<&str>) -> Result<String, Failure> {
    let named = match flag {
        Some(name) => Some(name),
        None => context.settings()?.kms_key.as_ref().map(|found| found.value.as_str()),
    };
    of_region(context.client()?, context.region().await?, named).await
}

/// The identity of the key of a region that is named; else of the only one that fits.
pub(crate) async fn of_region(client: &Client, region: &str, named: Option<&str>) -> Result<String, Failure> {
    let kms = client.kms(region);
    if let Some(name) = named {
        let key = kms.keys().get(name).await.map_err(|error| {
            let is_missing = error.is_not_found();
            let failure = Failure::from(error);
            if is_missing {
                failure
                    .hint(format!("is {name} a key of this region that you may read? `strongroom kms ls` shows them"))
            } else {
                failure
            }
        })?;
        return Ok(key.identity);
    }
    let keys = kms.keys().list(&Filter::all()).await?;
    let fitting: Vec<&KmsKey> =
        keys.iter().filter(|key| key.status == "active" && FITTING.contains(&key.key_type.as_str())).collect();
    let preferred: Vec<&KmsKey> = fitting.iter().copied().filter(|key| key.key_type == PREFERRED).collect();
    match (preferred.as_slice(), fitting.as_slice()) {
        ([only], _) | ([], [only]) => Ok(only.identity.clone()),
        (_, []) => Err(Failure::new(Exit::NotFound, "the region has no KMS key for secrets that you may see")
            .hint("`strongroom kms create NAME` makes one, or name one with --kms-key")),
        (_, several) => {
            let slugs: Vec<&str> = several.iter().map(|key| key.slug.as_str()).collect();
            Err(Failure::usage("the region has several KMS keys")
                .hint(format!("name one with --kms-key or in STRONGROOM_KMS_KEY: {}", slugs.join(", "))))
        }
    }
}
